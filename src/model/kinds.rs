//! The kinds of the model as tables: fields, their shapes, and the relations they state.
//!
//! One row per field; checking ([`super::descriptor`]) and relations ([`super::relation`]) both read
//! it, so a field cannot be checked one way and related another. Source: Backstage, *Descriptor Format
//! of Catalog Entities*, and its published JSON schemas. Fields that are not listed may hold anything.

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Not checked.
    Any,
    /// A text that is not empty.
    Text,
    /// A text, possibly empty.
    AnyText,
    /// A text of 1 up to this many characters.
    TextUpTo(usize),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A text or a boolean (conditions of templates).
    Condition,
    /// A list whose items have this shape.
    List(&'static Shape),
    /// A mapping; listed fields are checked, others may hold anything.
    Object(&'static [Field]),
    /// A mapping whose unlisted fields have the last shape.
    Closed(&'static [Field], &'static Shape),
    /// One of two shapes: a mapping, or a list of such mappings.
    OneOrMany(&'static Shape),
    /// Refs whose shape nobody checks before they are read: a text, a mapping, or a list of both.
    LooseRefs,
}

/// A relation that a field states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldRelation {
    /// Type of the relation, seen from the entity that holds the field.
    pub relation: &'static str,
    /// Kind of a ref that names none; `None` when the ref must name it.
    pub default_kind: Option<&'static str>,
}

/// A field of a mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it must look like.
    pub shape: Shape,
    /// The relation it states.
    pub relation: Option<FieldRelation>,
}

/// A kind of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// As it must be written.
    pub name: &'static str,
    /// Versions under which the model knows it.
    pub api_versions: &'static [&'static str],
    /// Value of `spec.type` that selects this row instead of the general one of the same kind.
    pub only_type: Option<&'static str>,
    /// Whether a Backstage of today accepts it out of the box.
    pub builtin: bool,
    /// The fields of `spec`.
    pub spec: &'static [Field],
}

const CORE: &[&str] = &["backstage.io/v1alpha1", "backstage.io/v1beta1"];
const ALPHA: &[&str] = &["backstage.io/v1alpha1"];

const fn required(name: &'static str, shape: Shape) -> Field {
    Field { name, required: true, shape, relation: None }
}

const fn optional(name: &'static str, shape: Shape) -> Field {
    Field { name, required: false, shape, relation: None }
}

impl Field {
    const fn states(mut self, relation: &'static str, default_kind: &'static str) -> Self {
        self.relation = Some(FieldRelation { relation, default_kind: Some(default_kind) });
        self
    }

    const fn states_full(mut self, relation: &'static str) -> Self {
        self.relation = Some(FieldRelation { relation, default_kind: None });
        self
    }
}

const TEXTS: Shape = Shape::List(&Shape::Text);
const TYPE: Field = required("type", Shape::Text);
const LIFECYCLE: Field = required("lifecycle", Shape::Text);
const OWNER: Field = required("owner", Shape::Text).states("ownedBy", "Group");
const SYSTEM: Field = optional("system", Shape::Text).states("partOf", "System");
const DEPENDS_ON: Field = optional("dependsOn", TEXTS).states_full("dependsOn");
const DEPENDENCY_OF: Field = optional("dependencyOf", Shape::LooseRefs).states_full("dependencyOf");
const PROFILE: Field = optional(
    "profile",
    Shape::Object(&[
        optional("displayName", Shape::Text),
        optional("email", Shape::Text),
        optional("picture", Shape::Text),
    ]),
);

/// Every kind of the model; rows with `only_type` stand before the general row of their kind.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "Component",
        api_versions: CORE,
        only_type: None,
        builtin: true,
        spec: &[
            TYPE,
            LIFECYCLE,
            OWNER,
            optional("subcomponentOf", Shape::Text).states("partOf", "Component"),
            optional("providesApis", TEXTS).states("providesApi", "API"),
            optional("consumesApis", TEXTS).states("consumesApi", "API"),
            DEPENDS_ON,
            DEPENDENCY_OF,
            SYSTEM,
        ],
    },
    Kind {
        name: "API",
        api_versions: CORE,
        only_type: None,
        builtin: true,
        spec: &[TYPE, LIFECYCLE, OWNER, required("definition", Shape::Text), SYSTEM],
    },
    Kind {
        name: "Resource",
        api_versions: CORE,
        only_type: None,
        builtin: true,
        spec: &[TYPE, OWNER, DEPENDS_ON, DEPENDENCY_OF, SYSTEM],
    },
    Kind {
        name: "System",
        api_versions: CORE,
        only_type: None,
        builtin: true,
        spec: &[
            OWNER,
            optional("domain", Shape::Text).states("partOf", "Domain"),
            optional("type", Shape::Text),
        ],
    },
    Kind {
        name: "Domain",
        api_versions: CORE,
        only_type: None,
        builtin: true,
        spec: &[
            OWNER,
            optional("subdomainOf", Shape::Text).states("partOf", "Domain"),
            optional("type", Shape::Text),
        ],
    },
    Kind {
        name: "Group",
        api_versions: CORE,
        only_type: None,
        builtin: true,
        spec: &[
            TYPE,
            PROFILE,
            optional("parent", Shape::Text).states("childOf", "Group"),
            required("children", TEXTS).states("parentOf", "Group"),
            optional("members", TEXTS).states("hasMember", "User"),
        ],
    },
    Kind {
        name: "User",
        api_versions: CORE,
        only_type: None,
        builtin: true,
        spec: &[PROFILE, required("memberOf", TEXTS).states("memberOf", "Group")],
    },
    Kind {
        name: "Location",
        api_versions: CORE,
        only_type: None,
        builtin: true,
        spec: &[
            optional("type", Shape::Text),
            optional("target", Shape::Text),
            optional("targets", TEXTS),
            optional("presence", Shape::OneOf(&["required", "optional"])),
        ],
    },
    Kind {
        name: "Template",
        api_versions: &["scaffolder.backstage.io/v1beta3"],
        only_type: None,
        builtin: true,
        spec: TEMPLATE,
    },
    Kind {
        name: "AiResource",
        api_versions: ALPHA,
        only_type: Some("skill"),
        builtin: false,
        spec: &[
            TYPE,
            LIFECYCLE,
            OWNER,
            SYSTEM,
            optional("disciplines", TEXTS),
            optional("categories", TEXTS),
            optional("agents", TEXTS),
            optional("dependsOn", TEXTS).states("dependsOn", "AiResource"),
            optional("allowedTools", Shape::Text),
            optional("license", Shape::Text),
            optional("compatibility", Shape::TextUpTo(500)),
        ],
    },
    Kind {
        name: "AiResource",
        api_versions: ALPHA,
        only_type: Some("rule"),
        builtin: false,
        spec: &[
            TYPE,
            LIFECYCLE,
            OWNER,
            SYSTEM,
            optional("disciplines", TEXTS),
            required("category", Shape::Text),
            required("rationale", Shape::Text),
        ],
    },
    Kind {
        name: "AiResource",
        api_versions: ALPHA,
        only_type: Some("plugin"),
        builtin: false,
        spec: &[
            TYPE,
            LIFECYCLE,
            OWNER,
            SYSTEM,
            required("skills", TEXTS).states("hasPart", "AiResource"),
            optional("version", Shape::Text),
        ],
    },
    Kind {
        name: "AiResource",
        api_versions: ALPHA,
        only_type: Some("marketplace"),
        builtin: false,
        spec: &[
            TYPE,
            LIFECYCLE,
            OWNER,
            SYSTEM,
            required("plugins", TEXTS).states("hasPart", "AiResource"),
            optional("version", Shape::Text),
        ],
    },
    Kind {
        name: "AiResource",
        api_versions: ALPHA,
        only_type: None,
        builtin: false,
        spec: &[TYPE, LIFECYCLE, OWNER, SYSTEM],
    },
];

/// Fields that state relations on kinds the model does not know.
pub const FOREIGN: &[Field] = &[OWNER, SYSTEM];

const PERMISSIONS: Field =
    optional("backstage:permissions", Shape::Object(&[optional("tags", Shape::List(&Shape::AnyText))]));
const OBJECT: Shape = Shape::Object(&[]);
const DECORATORS: Shape =
    Shape::List(&Shape::Object(&[optional("id", Shape::AnyText), optional("input", OBJECT)]));

/// Source: the schema of `scaffolder.backstage.io/v1beta3`.
const TEMPLATE: &[Field] = &[
    TYPE,
    optional("owner", Shape::Text).states("ownedBy", "Group"),
    optional("lifecycle", Shape::Text),
    optional("parameters", Shape::OneOrMany(&Shape::Object(&[PERMISSIONS]))),
    optional("secrets", Shape::Object(&[optional("schema", OBJECT)])),
    optional(
        "presentation",
        Shape::Object(&[optional(
            "buttonLabels",
            Shape::Object(&[
                optional("backButtonText", Shape::AnyText),
                optional("createButtonText", Shape::AnyText),
                optional("reviewButtonText", Shape::AnyText),
            ]),
        )]),
    ),
    optional("EXPERIMENTAL_recovery", Shape::Object(&[optional("EXPERIMENTAL_strategy", Shape::AnyText)])),
    optional("formDecorators", DECORATORS),
    optional("EXPERIMENTAL_formDecorators", DECORATORS),
    required(
        "steps",
        Shape::List(&Shape::Object(&[
            optional("id", Shape::AnyText),
            optional("name", Shape::AnyText),
            required("action", Shape::AnyText),
            optional("input", OBJECT),
            optional("if", Shape::Condition),
            PERMISSIONS,
        ])),
    ),
    optional(
        "output",
        Shape::Closed(
            &[
                optional(
                    "links",
                    Shape::List(&Shape::Object(&[
                        optional("if", Shape::Condition),
                        optional("url", Shape::Text),
                        optional("entityRef", Shape::Text),
                        optional("title", Shape::Text),
                        optional("icon", Shape::Text),
                    ])),
                ),
                optional(
                    "text",
                    Shape::List(&Shape::Object(&[
                        optional("if", Shape::Condition),
                        optional("title", Shape::Text),
                        optional("icon", Shape::Text),
                        optional("content", Shape::AnyText),
                    ])),
                ),
            ],
            &Shape::AnyText,
        ),
    ),
];

/// Finds the row of a kind, apiVersion and `spec.type`, all compared exactly.
pub fn find(kind: &str, api_version: &str, spec_type: Option<&str>) -> Option<&'static Kind> {
    KINDS.iter().find(|row| {
        row.name == kind
            && row.api_versions.contains(&api_version)
            && row.only_type.is_none_or(|only| spec_type == Some(only))
    })
}

/// Finds a row by the kind's name alone, in any case.
pub fn find_by_name(kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|row| row.name.eq_ignore_ascii_case(kind) && row.only_type.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::relation;

    #[test]
    fn every_stated_relation_has_an_opposite() {
        for field in KINDS.iter().flat_map(|kind| kind.spec) {
            if let Some(stated) = field.relation {
                assert!(relation::reverse(stated.relation).is_some(), "{}", stated.relation);
            }
        }
    }

    #[test]
    fn no_field_is_listed_twice() {
        for kind in KINDS {
            for (index, field) in kind.spec.iter().enumerate() {
                assert!(
                    !kind.spec[..index].iter().any(|f| f.name == field.name),
                    "{} {}",
                    kind.name,
                    field.name
                );
            }
        }
    }

    #[test]
    fn the_type_selects_the_row() {
        let row = |t| find("AiResource", "backstage.io/v1alpha1", t).and_then(|row| row.only_type);
        assert_eq!(row(Some("rule")), Some("rule"));
        assert_eq!(row(Some("other")), None);
        assert!(find("AiResource", "backstage.io/v1beta1", None).is_none());
        assert!(find("component", "backstage.io/v1alpha1", None).is_none());
    }
}
