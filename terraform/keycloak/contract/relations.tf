# Faults between values: kinds of client, scopes that do not exist, scopes in a circle, lifetimes that contradict.
locals {
  # The schema's conditional rules, each for the kinds that it names.
  _kind_rules = flatten([for client, entry in local._entries.clients : [
    for rule in local._defs.client.allOf : { client = client, entry = entry, then = rule.then }
    if contains(try([rule["if"].properties.kind.const], rule["if"].properties.kind.enum), try(entry.kind, null))
  ]])

  _kind_faults = concat(
    [for case in local._kind_rules : {
      at   = ["clients", case.client]
      item = ""
      what = "${case.client} is incomplete"
      fix  = case.then["x-fix"]
      } if can(case.then.anyOf) && !anytrue([
        for choice in try(case.then.anyOf, []) : alltrue([for key in choice.required : can(case.entry[key])])
    ])],
    flatten([for case in local._kind_rules : [for key, rule in try(case.then.properties, {}) : {
      at   = ["clients", case.client, key]
      item = ""
      what = "${key} has no place here"
      fix  = local._defs[trimprefix(rule["$ref"], "#/$defs/")]["x-fix"]
    } if can(case.entry[key])]]),
  )

  _implies = { for name, scope in local._entries.scopes :
    name => try([for other in scope.implies : tostring(other)], [])
  }

  # All that a scope reaches, by doubling the distance: 1, 2, 4, 8, 16 steps, and there are 16 scopes at most.
  _reach_2  = { for name, reach in local._implies : name => distinct(concat(reach, [for other in reach : try(local._implies[other], [])]...)) }
  _reach_4  = { for name, reach in local._reach_2 : name => distinct(concat(reach, [for other in reach : try(local._reach_2[other], [])]...)) }
  _reach_8  = { for name, reach in local._reach_4 : name => distinct(concat(reach, [for other in reach : try(local._reach_4[other], [])]...)) }
  _reach_16 = { for name, reach in local._reach_8 : name => distinct(concat(reach, [for other in reach : try(local._reach_8[other], [])]...)) }

  _scope_lists = concat(
    [for name, names in local._implies : { at = ["scopes", name, "implies"], names = names }],
    flatten([for client, entry in local._entries.clients : [for field in ["default_scopes", "optional_scopes"] : {
      at    = ["clients", client, field]
      names = try([for name in entry[field] : tostring(name)], [])
    }]]),
  )

  _scope_faults = concat(
    flatten([for list in local._scope_lists : [for name in list.names : {
      at   = list.at
      item = name
      what = "scope ${name} does not exist"
      fix  = "write one of: ${join(", ", keys(local._entries.scopes))}"
    } if !contains(keys(local._entries.scopes), name)]]),
    [for name, reach in local._reach_16 : {
      at   = ["scopes", name, "implies"]
      item = ""
      what = "scopes imply each other: ${join(", ", sort(distinct(concat([name], [
        for other in reach : other if contains(try(local._reach_16[other], []), name)
      ]))))}"
      fix = "remove one `implies`"
    } if contains(reach, name)],
    flatten([for client, entry in local._entries.clients : [for name in try(entry.optional_scopes, []) : {
      at   = ["clients", client, "optional_scopes"]
      item = name
      what = "scope ${name} is both default and optional"
      fix  = "keep it in one of the two lists"
    } if try(contains(entry.default_scopes, name), false)]]),
  )

  _lifetime_faults = [for pair in [["session_max", "session_idle"], ["offline_max", "offline_idle"]] : {
    at   = ["lifetimes", pair[0]]
    item = ""
    what = "${pair[0]} ${local._raw.lifetimes[pair[0]]} is less than ${pair[1]}"
    fix  = "write ${local._raw.lifetimes[pair[1]]} or more, or lower ${pair[1]}"
  } if try(local._raw.lifetimes[pair[0]] < local._raw.lifetimes[pair[1]], false)]

  # Open for nobody, or open in two ways: Keycloak 26.7.4 cannot check the URIs of both (../README.md, Decisions).
  _registration = try(local._raw.registration, {})
  _registration_faults = concat(
    [for way, hosts in { anonymous = "trusted_hosts", metadata_documents = "metadata_hosts" } : {
      at                           = ["registration", hosts]
      item                         = ""
      what                         = "${way} is open and ${hosts} is empty"
      fix                          = "name the hosts, or write ${way}: closed"
    } if try(local._registration[way] == "trusted_hosts" && length(local._registration[hosts]) == 0, false)],
    [for name in ["unused_days"] : {
      at   = ["registration", name]
      item = ""
      what = "${name} ${local._registration[name]} is longer than events are kept"
      fix  = "write ${floor(local._raw.lifetimes.events / 86400)} or less, or raise lifetimes.events"
    } if try(local._registration[name] * 86400 > local._raw.lifetimes.events, false)],
    [for name in ["metadata_documents"] : {
      at   = ["registration", name]
      item = ""
      what = "anonymous and metadata_documents are both open"
      fix  = "write closed for one of them"
    } if try(local._registration.anonymous != "closed" && local._registration[name] != "closed", false)],
  )
}
