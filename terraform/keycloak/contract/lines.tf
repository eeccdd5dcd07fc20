# Where in the file a fault stands. Terraform's YAML has no line numbers, so each key is looked for below its parent.
# Best effort: a mapping written as { a: 1 } on one line is reported where its parent stands.
locals {
  _shape_faults = concat(
    local._key_faults, local._name_faults, local._count_faults, local._value_faults, local._item_faults,
    local._kind_faults,
  )
  # As in service/contract.py: what depends on the shape is judged when the shape is right.
  _faults = length(local._shape_faults) > 0 ? [for fault in local._shape_faults : jsonencode(fault)] : [
    for fault in concat(local._scope_faults, local._lifetime_faults, local._registration_faults) : jsonencode(fault)
  ]

  _lines = split("\n", var.text)

  _patterns = { for fault in local._faults : fault => [for depth, key in jsondecode(fault).at :
    "^${depth == 0 ? "" : "\\s+"}[\"']?${replace(key, "/([^A-Za-z0-9_])/", "\\$1")}[\"']?\\s*:"
  ] }

  # Index of the line of the first, second and third key, and of the item; the parent's where it is not found.
  _line_1 = { for fault in local._faults : fault => try(min([
    for index, line in local._lines : index if can(regex(local._patterns[fault][0], line))
  ]...), 0) }
  _line_2 = { for fault in local._faults : fault => try(min([
    for index, line in local._lines : index
    if index > local._line_1[fault] && can(regex(local._patterns[fault][1], line))
  ]...), local._line_1[fault]) }
  _line_3 = { for fault in local._faults : fault => try(min([
    for index, line in local._lines : index
    if index > local._line_2[fault] && can(regex(local._patterns[fault][2], line))
  ]...), local._line_2[fault]) }
  _line_4 = { for fault in local._faults : fault => try(min([
    for index, line in local._lines : index
    if index >= local._line_3[fault] && jsondecode(fault).item != "" && strcontains(line, jsondecode(fault).item)
  ]...), local._line_3[fault]) }

  _problems = [for entry in sort([for fault in distinct(local._faults) : format(
    "%06d:%s; %s", local._line_4[fault] + 1, jsondecode(fault).what, jsondecode(fault).fix,
    )]) : format("%s:%d: %s",
    var.file_name, tonumber(regex("^[0-9]+", entry)), replace(entry, "/^[0-9]+:/", "")
  )]
}
