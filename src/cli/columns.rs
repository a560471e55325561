//! Entities as cells: one list of columns feeds tables, wide tables and CSV.

use super::output::Role;
use super::table::Cell;
use crate::catalog::{Catalog, Entity, EntityId};
use crate::model::entity_ref::split_canonical;

type CellOf = fn(&Catalog, Entity<'_>) -> Cell;

/// A column: heading, whether only wide tables have it, its cell.
struct Column(&'static str, bool, CellOf);

const COLUMNS: &[Column] = &[
    Column("NAME", false, |_, entity| Cell::new(entity.name()).role(Some(sign(entity)))),
    Column("KIND", false, |_, entity| Cell::new(&entity.kind().to_lowercase())),
    Column("TYPE", false, |_, entity| Cell::new(entity.entity_type())),
    Column("OWNER", false, |catalog, entity| target(catalog, entity.owner(), "group")),
    Column("SYSTEM", false, |catalog, entity| target(catalog, entity.system(), "system")),
    Column("LIFECYCLE", false, |_, entity| Cell::new(entity.lifecycle()).role(lifecycle(entity.lifecycle()))),
    Column("NAMESPACE", true, |_, entity| Cell::new(entity.namespace())),
    Column("TAGS", true, |_, entity| Cell::new(&entity.tags().collect::<Vec<_>>().join(","))),
    Column("TITLE", true, |_, entity| Cell::new(entity.title().unwrap_or(""))),
    Column("SOURCE", true, |_, entity| Cell::new(&source(entity))),
];

/// Returns the headings.
pub fn head(wide: bool) -> Vec<&'static str> {
    COLUMNS.iter().filter(|column| wide || !column.1).map(|column| column.0).collect()
}

/// Returns the cells of some entities.
pub fn rows(catalog: &Catalog, ids: &[EntityId], wide: bool) -> Vec<Vec<Cell>> {
    let cells = |entity| {
        let shown = COLUMNS.iter().filter(|column| wide || !column.1);
        shown.map(|column| column.2(catalog, entity)).collect()
    };
    ids.iter().filter_map(|id| catalog.entity(*id)).map(cells).collect()
}

/// Returns a ref as people write it: without the parts that are clear from where it stands.
pub fn short_ref(canonical: &str, usual_kind: &str) -> String {
    let (kind, namespace, name) = split_canonical(canonical);
    let kind = if kind == usual_kind { String::new() } else { format!("{kind}:") };
    let namespace = if namespace == "default" { String::new() } else { format!("{namespace}/") };
    format!("{kind}{namespace}{name}")
}

fn target(catalog: &Catalog, id: Option<EntityId>, usual_kind: &str) -> Cell {
    let Some(id) = id else { return Cell::default() };
    let dangling = (!catalog.is_entity(id)).then_some(Role::Error);
    Cell::new(&short_ref(catalog.ref_of(id), usual_kind)).role(dangling)
}

fn sign(entity: Entity<'_>) -> Role {
    if entity.is_invalid() {
        Role::Error
    } else if entity.has_warnings() {
        Role::Warn
    } else {
        Role::Accent
    }
}

fn lifecycle(text: &str) -> Option<Role> {
    match text {
        "production" => Some(Role::Ok),
        "deprecated" => Some(Role::Warn),
        _ => None,
    }
}

fn source(entity: Entity<'_>) -> String {
    let location = entity.location();
    let name = entity.source().map_or("", |source| &source.name);
    format!("{name} {}:{}", location.file, location.line).trim_start().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refs_are_as_short_as_people_write_them() {
        assert_eq!(short_ref("group:default/payments", "group"), "payments");
        assert_eq!(short_ref("user:default/ana", "group"), "user:ana");
        assert_eq!(short_ref("group:org/payments", "group"), "org/payments");
    }
}
