# The contract as it stands, before anything is known about its shape: every access is guarded.
locals {
  _raw    = yamldecode(trimspace(var.text) == "" ? "{}" : var.text)
  _schema = jsondecode(var.schema)
  _defs   = local._schema["$defs"]

  _sections = ["registration", "lifetimes", "passwords", "brute_force"]
  _entries = {
    scopes  = { for name in try(keys(local._raw.scopes), []) : name => local._raw.scopes[name] }
    clients = { for name in try(keys(local._raw.clients), []) : name => local._raw.clients[name] }
  }

  # Every mapping with a closed list of keys: the file itself, each section, each scope, each client.
  _mappings = concat(
    [{ at = [], rule = local._schema, value = local._raw }],
    [for name in local._sections : {
      at = [name], rule = local._defs[name], value = local._raw[name]
    } if can(local._raw[name])],
    flatten([for kind, entries in local._entries : [for name, entry in entries : {
      at = [kind, name], rule = local._defs[trimsuffix(kind, "s")], value = entry
    }]]),
  )

  # Every value with a rule of its own. JSON text keeps values of any type in one list.
  _values = flatten([for mapping in local._mappings : [
    for key in try(keys(mapping.value), []) : {
      at   = concat(mapping.at, [key])
      json = jsonencode(mapping.value[key])
      rule = try(
        merge(
          local._defs[trimprefix(mapping.rule.properties[key]["$ref"], "#/$defs/")],
          mapping.rule.properties[key],
        ),
        mapping.rule.properties[key],
      )
    } if can(mapping.rule.properties[key])
  ]])

  # What stands inside a list, with the rule of its items.
  _items = flatten([for value in local._values : [
    for item in try([for entry in jsondecode(value.json) : jsonencode(entry)], []) : {
      at   = value.at
      item = try(tostring(jsondecode(item)), item)
      json = item
      rule = value.rule.items
    }
  ] if can(value.rule.items) && startswith(value.json, "[")])

  _type_pattern = {
    array = "^\\[", boolean = "^(true|false)$", integer = "^-?[0-9]+$", object = "^\\{", string = "^\""
  }
}
