# Faults of shape: what access.schema.json says, said of this file.
locals {
  _key_faults = flatten([for mapping in local._mappings : concat(
    [for key in try(keys(mapping.value), []) : {
      at   = concat(mapping.at, [key])
      item = ""
      what = "unknown key '${key}'"
      fix  = "write one of: ${join(", ", sort(keys(mapping.rule.properties)))}"
    } if !can(mapping.rule.properties[key])],
    # A section of the wrong type is a value fault of the file.
    [for name in [try(mapping.at[1], "the file")] : {
      at   = mapping.at
      item = ""
      what = "${name}${can(tostring(mapping.value)) && name != "the file" ? " '${mapping.value}'" : ""} has the wrong type"
      fix  = "see access.schema.json"
    } if !can(keys(mapping.value)) && length(mapping.at) != 1],
    [for missing in [join(", ", sort(setsubtract(mapping.rule.required, try(keys(mapping.value), []))))] : {
      at   = mapping.at
      item = ""
      what = "${try(mapping.at[length(mapping.at) - 1], "the file")} lacks ${missing}"
      fix  = "add ${missing}"
    } if missing != "" && can(keys(mapping.value))],
  )])

  _name_faults = flatten([for kind, entries in local._entries : [for name in keys(entries) : {
    at   = [kind, name]
    item = ""
    what = "'${name}' is no valid name"
    fix  = local._schema.properties[kind].propertyNames["x-fix"]
  } if !can(regex(local._schema.properties[kind].propertyNames.pattern, name))]])

  _count_faults = [for kind, entries in local._entries : {
    at   = [kind]
    item = ""
    what = "${kind} is not allowed"
    fix  = try(local._schema.properties[kind]["x-fix"], "see access.schema.json")
    } if can(keys(local._raw[kind])) && (
    length(entries) < local._schema.properties[kind].minProperties
    || length(entries) > try(local._schema.properties[kind].maxProperties, length(entries))
  )]

  # `try(…, true)`: a rule that a definition does not have cannot be broken.
  _value_faults = [for value in local._values : {
    at   = value.at
    item = ""
    what = format("%s%s %s", value.at[length(value.at) - 1],
      can(regex("^[\\[{]", value.json)) ? "" : " ${local._shown[value.json]}",
      can(regex(local._type_pattern[value.rule.type], value.json)) || !can(value.rule.type) ?
    "is not allowed" : "has the wrong type")
    fix = try(value.rule["x-fix"], "see access.schema.json")
    } if !alltrue([
      try(value.json == jsonencode(value.rule.const), true),
      try(contains([for choice in value.rule.enum : jsonencode(choice)], value.json), true),
      !can(value.rule.type) || can(regex(local._type_pattern[value.rule.type], value.json)),
      !can(value.rule.pattern) || can(regex(value.rule.pattern, tostring(jsondecode(value.json)))),
      try(tonumber(value.json) >= value.rule.minimum, true),
      try(tonumber(value.json) <= value.rule.maximum, true),
      try(length(tostring(jsondecode(value.json))) >= value.rule.minLength, true),
      try(length(tostring(jsondecode(value.json))) <= value.rule.maxLength, true),
      try(length(tolist([for entry in jsondecode(value.json) : jsonencode(entry)])) >= value.rule.minItems, true),
      try(!value.rule.uniqueItems || length(distinct(jsondecode(value.json))) == length(jsondecode(value.json)), true),
  ])]

  _item_faults = [for item in local._items : {
    at   = item.at
    item = item.item
    what = "${item.at[length(item.at) - 1]} ${local._shown[item.json]} ${startswith(item.json, "\"") ? "is not allowed" : "has the wrong type"}"
    fix  = try(item.rule["x-fix"], local._fix_of[jsonencode(item.at)], "see access.schema.json")
    } if !startswith(item.json, "\"") || !(
    !can(item.rule.pattern) || can(regex(item.rule.pattern, item.item))
  )]

  _fix_of = { for value in local._values : jsonencode(value.at) => try(value.rule["x-fix"], "see access.schema.json") }

  # Text in single quotes, everything else as YAML writes it.
  _shown = { for json in distinct(concat(local._values[*].json, local._items[*].json)) :
    json => startswith(json, "\"") ? "'${jsondecode(json)}'" : json == "null" ? "None" : title(json)
  }
}
