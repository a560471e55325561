//! How a field works: decided by its type and its `ui:` keys, with the field extensions of Backstage.

use super::field::{Choice, Widget};
use super::json::{Json, json_list};
use super::pattern::Patterns;
use super::picker::{self, What};
use super::rule::{self, type_of};
use super::ui::Ui;

/// How a field works.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A text.
    Text,
    /// A number; only whole ones when true.
    Number(bool),
    /// Yes or no.
    Toggle,
    /// One of several values.
    Choice(Vec<Labelled>),
    /// Any of several values.
    Several(Vec<Labelled>),
    /// A list of rows.
    List,
    /// Fields that belong together.
    Object,
    /// Nothing to answer.
    Null,
    /// An entity's ref, or several.
    Picker {
        /// Several of them.
        is_multiple: bool,
        /// Any text will do.
        is_free: bool,
        /// Of what kind a text without a kind is.
        default_kind: Option<String>,
        /// Which ones.
        what: What,
    },
    /// Tags.
    Tags {
        /// Which ones are offered.
        what: What,
    },
    /// An entity's name.
    Name,
    /// A repository.
    Repo,
    /// A part of a repository.
    RepoPart(&'static str),
    /// A text that nobody may read, which goes to the secrets.
    Secret,
    /// Which of several forms is filled in.
    Selector,
}

/// A value to choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Labelled {
    /// What is stored.
    pub value: Json,
    /// What is shown.
    pub label: String,
    /// More about it.
    pub detail: String,
    /// It may not be chosen.
    pub is_disabled: bool,
}

/// Names of `ui:field` that are known.
const FIELDS: &[&str] = &[
    "EntityPicker",
    "MultiEntityPicker",
    "OwnerPicker",
    "OwnedEntityPicker",
    "MyGroupsPicker",
    "EntityNamePicker",
    "EntityTagsPicker",
    "RepoUrlPicker",
    "RepoBranchPicker",
    "RepoOwnerPicker",
    "Secret",
    // names of plain fields in the library behind the original's forms
    "StringField",
    "NumberField",
    "BooleanField",
    "ArrayField",
    "ObjectField",
    "SchemaField",
    "NullField",
];

/// Returns whether a `ui:field` is one of ours.
pub fn is_known_field(name: &str) -> bool {
    FIELDS.contains(&name)
}

/// Decides how a field works.
pub fn find_kind(schema: &Json, ui: &Ui) -> Kind {
    let entity = |is_multiple, is_free, default_kind: Option<&str>, what| Kind::Picker {
        is_multiple,
        is_free,
        default_kind: default_kind.map(str::to_owned),
        what,
    };
    let is_free = !ui.is_off("allowArbitraryValues");
    match ui.text("field") {
        Some("EntityPicker") => entity(false, is_free, None, picker::entities(ui, &[], false)),
        Some("MultiEntityPicker") => entity(true, is_free, None, picker::entities(ui, &[], false)),
        Some("OwnerPicker") => {
            entity(false, is_free, Some("Group"), picker::entities(ui, &["Group", "User"], false))
        }
        Some("OwnedEntityPicker") => entity(false, is_free, None, picker::entities(ui, &[], true)),
        Some("MyGroupsPicker") => entity(false, false, Some("Group"), What::MyGroups),
        Some("EntityTagsPicker") => {
            Kind::Tags { what: What::Tags { kinds: ui.texts("kinds"), show_counts: ui.is_on("showCounts") } }
        }
        Some("EntityNamePicker") => Kind::Name,
        Some("RepoUrlPicker") => Kind::Repo,
        Some("Secret") => Kind::Secret,
        _ => plain(schema, ui),
    }
}

fn plain(schema: &Json, ui: &Ui) -> Kind {
    if let Some(options) = constants(schema) {
        return Kind::Choice(options);
    }
    let has_enum = schema.get("enum").and_then(Json::as_list).is_some();
    match type_of(schema) {
        "boolean" if matches!(ui.text("widget"), Some("radio" | "select")) => {
            Kind::Choice(yes_or_no(schema, ui))
        }
        "boolean" => Kind::Toggle,
        "array" => several(schema, ui).map_or(Kind::List, Kind::Several),
        _ if has_enum => Kind::Choice(options(schema, ui)),
        "integer" => Kind::Number(true),
        "number" => Kind::Number(false),
        "object" => Kind::Object,
        "null" => Kind::Null,
        _ => Kind::Text,
    }
}

/// The options of an enum with their labels.
fn options(schema: &Json, ui: &Ui) -> Vec<Labelled> {
    let names = json_list(ui.get("enumNames").or_else(|| schema.get("enumNames")));
    let disabled = json_list(ui.get("enumDisabled"));
    let option = |(value, at): (&Json, usize)| {
        let label = names.get(at).unwrap_or(value).text();
        let label = if label.is_empty() && matches!(value, Json::Null) { "none".to_owned() } else { label };
        Labelled {
            label: crate::model::text::clean(&label).into_owned(),
            value: value.clone(),
            detail: String::new(),
            is_disabled: disabled.contains(value),
        }
    };
    json_list(schema.get("enum")).iter().zip(0..).map(option).collect()
}

fn yes_or_no(schema: &Json, ui: &Ui) -> Vec<Labelled> {
    let both = Json::from(vec![Json::Bool(true), Json::Bool(false)]);
    let mut schema = schema.clone();
    if schema.get("enum").and_then(Json::as_list).is_none() {
        schema.fields_mut().insert("enum", both);
    }
    let mut all = options(&schema, ui);
    for option in &mut all {
        match option.label.as_str() {
            "true" => option.label = "Yes".to_owned(),
            "false" => option.label = "No".to_owned(),
            _ => {}
        }
    }
    all
}

/// The options of `oneOf` or `anyOf` where each allows one value.
fn constants(schema: &Json) -> Option<Vec<Labelled>> {
    let parts = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(key).and_then(Json::as_list))?;
    let option = |part: &Json| {
        let value = part.get("const").or_else(|| match json_list(part.get("enum")) {
            [only] => Some(only),
            _ => None,
        })?;
        let label = part.text_of("title").map_or_else(|| value.text(), str::to_owned);
        let detail = part.text_of("description").unwrap_or_default().to_owned();
        Some(Labelled { value: value.clone(), label, detail, is_disabled: false })
    };
    parts.iter().map(option).collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
}

/// The options of a list whose items are chosen from a few values.
fn several(schema: &Json, ui: &Ui) -> Option<Vec<Labelled>> {
    let items = schema.get("items")?;
    let widget = ui.text("widget");
    let is_unique = schema.get("uniqueItems").and_then(Json::as_bool) == Some(true);
    if !is_unique && !matches!(widget, Some("checkboxes" | "select")) {
        return None;
    }
    if items.get("enum").and_then(Json::as_list).is_some() {
        // labels of the list itself are those of its items
        let own = if ui.get("enumNames").is_some() { ui.clone() } else { Ui::of(None, items) };
        return Some(options(items, &own));
    }
    constants(items)
}

impl Kind {
    /// Returns how it is asked for.
    pub fn widget(&self, schema: &Json, ui: &Ui, data: Option<&Json>) -> Widget {
        let choices = |options: &[Labelled]| {
            let choice = |option: &Labelled| Choice {
                value: option.value.to_value(),
                label: option.label.clone(),
                detail: option.detail.clone(),
                is_disabled: option.is_disabled,
            };
            options.iter().map(choice).collect()
        };
        match self {
            Self::Text => match ui.text("widget") {
                Some("textarea") => Widget::Text {
                    rows: ui.get("rows").and_then(Json::as_count).unwrap_or(5).clamp(2, 40) as u16,
                },
                Some("password") => Widget::Secret,
                _ => Widget::Line,
            },
            Self::Number(is_whole) => {
                let number = |key: &str| schema.get(key).and_then(Json::as_f64);
                let step = number("multipleOf").filter(|step| *step > 0.0);
                Widget::Number {
                    step: step.unwrap_or(1.0),
                    min: number("minimum"),
                    max: number("maximum"),
                    is_whole: *is_whole,
                }
            }
            Self::Toggle => Widget::Toggle,
            Self::Choice(options) => {
                Widget::Choice { is_radio: ui.text("widget") == Some("radio"), choices: choices(options) }
            }
            Self::Several(options) => Widget::Several { choices: choices(options) },
            Self::List => {
                let length = json_list(data).len();
                let most = schema.get("maxItems").and_then(Json::as_count).unwrap_or(usize::MAX);
                let is_fixed = matches!(schema.get("items"), Some(Json::List(_)))
                    && schema.get("additionalItems").is_none_or(|extra| extra.as_bool() == Some(false));
                let fixed = schema.get("items").and_then(Json::as_list).map_or(usize::MAX, <[Json]>::len);
                Widget::List {
                    can_add: !ui.is_off("addable") && length < most && (!is_fixed || length < fixed),
                }
            }
            Self::Object => {
                let extra = schema.get("additionalProperties");
                let most = schema.get("maxProperties").and_then(Json::as_count).unwrap_or(usize::MAX);
                let length = data.and_then(Json::as_object).map_or(0, super::json::Map::len);
                let is_open =
                    extra.is_some_and(|extra| extra.as_bool() != Some(false)) && !ui.is_off("expandable");
                Widget::Object { can_add: is_open && length < most }
            }
            Self::Null => Widget::Note,
            Self::Picker { is_multiple, is_free, .. } => {
                Widget::Picker { is_multiple: *is_multiple, is_free: *is_free }
            }
            Self::Tags { .. } => Widget::Picker { is_multiple: true, is_free: true },
            Self::Repo => Widget::Repo,
            Self::Secret => Widget::Secret,
            Self::Name | Self::RepoPart(_) | Self::Selector => Widget::Line,
        }
    }

    /// Returns a value as a person would type it.
    pub fn text(&self, value: &Json) -> String {
        let label = |options: &[Labelled], value: &Json| {
            options
                .iter()
                .find(|option| option.value == *value)
                .map_or_else(|| value.text(), |option| option.label.clone())
        };
        let joined = |texts: Vec<String>| texts.join(", ");
        match self {
            Self::Toggle => match value.as_bool() {
                Some(true) => "yes".to_owned(),
                Some(false) => "no".to_owned(),
                None => value.text(),
            },
            Self::Choice(options) => label(options, value),
            Self::Several(options) => {
                joined(json_list(Some(value)).iter().map(|value| label(options, value)).collect())
            }
            Self::Picker { is_multiple: true, .. } | Self::Tags { .. } => joined(picker::texts(value)),
            Self::List => super::counted(json_list(Some(value)).len(), "entry", "entries"),
            Self::Object => String::new(),
            _ => value.text(),
        }
    }

    /// Reads what was typed; `None` when it is no value of this kind. Never called with an empty text.
    pub fn parse(&self, typed: &str, schema: &Json, ui: &Ui) -> Option<Json> {
        let text = |text: &str| Json::from(text);
        match self {
            Self::Text | Self::Name | Self::Repo | Self::RepoPart(_) | Self::Secret | Self::Selector => {
                Some(text(typed))
            }
            Self::Number(is_whole) => {
                let number = typed.trim().parse::<f64>().ok().filter(|number| number.is_finite())?;
                let exact = typed.trim().parse::<i64>().ok().map(Json::Int);
                (!is_whole || number.fract() == 0.0).then(|| exact.unwrap_or_else(|| Json::number(number)))
            }
            Self::Toggle => match typed.trim().to_lowercase().as_str() {
                "yes" | "y" | "true" | "on" | "1" => Some(Json::Bool(true)),
                "no" | "n" | "false" | "off" | "0" => Some(Json::Bool(false)),
                _ => None,
            },
            Self::Choice(options) => chosen(options, typed),
            Self::Several(options) => {
                if let Some(list @ Json::List(_)) = flow(typed) {
                    return Some(list);
                }
                let all = picker::words(typed)
                    .iter()
                    .map(|word| chosen(options, word))
                    .collect::<Option<Vec<_>>>()?;
                Some(all.into())
            }
            Self::Picker { is_multiple: false, default_kind, .. } => {
                Some(text(&picker::canonical(typed, ui, default_kind.as_deref())))
            }
            Self::Picker { default_kind, .. } => {
                let words = picker::words(typed).into_iter();
                Some(
                    words
                        .map(|word| text(&picker::canonical(&word, ui, default_kind.as_deref())))
                        .collect::<Vec<_>>()
                        .into(),
                )
            }
            Self::Tags { .. } => {
                let words = picker::words(typed).into_iter();
                Some(words.map(|word| text(&word.to_lowercase())).collect::<Vec<_>>().into())
            }
            Self::List => match flow(typed) {
                Some(list @ Json::List(_)) => Some(list),
                _ => {
                    let of = schema.get("items").cloned().unwrap_or_else(Json::object);
                    let ui = Ui::of(None, &of);
                    let kind = find_kind(&of, &ui);
                    if matches!(kind, Self::Object | Self::List) {
                        return None;
                    }
                    picker::words(typed)
                        .iter()
                        .map(|word| kind.parse(word, &of, &ui))
                        .collect::<Option<Vec<_>>>()
                        .map(Json::from)
                }
            },
            Self::Object => flow(typed).filter(|value| value.as_object().is_some()),
            Self::Null => None,
        }
    }

    /// Says what should have been typed.
    pub fn typing_fault(&self, schema: &Json) -> String {
        match self {
            Self::Number(true) => "needs a whole number, for example 3".to_owned(),
            Self::Number(false) => "needs a number, for example 2.5".to_owned(),
            Self::Toggle => "needs yes or no".to_owned(),
            Self::Choice(options) | Self::Several(options) => {
                let labels: Vec<&str> = options.iter().take(12).map(|option| option.label.as_str()).collect();
                let more = if options.len() > labels.len() { ", …" } else { "" };
                let which = if matches!(self, Self::Choice(_)) { "one" } else { "some" };
                format!("needs {which} of {}{more}", labels.join(", "))
            }
            Self::List => "needs a list, for example [one, two]".to_owned(),
            Self::Object => "needs keys with values, for example {key: value}".to_owned(),
            _ => rule::type_fault(schema.get("type").unwrap_or(&Json::Null)),
        }
    }

    /// Returns what it wants, in words.
    pub fn rule(&self, schema: &Json, patterns: &Patterns) -> String {
        let own = match self {
            Self::Name => {
                "letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit, at most 63 characters"
            }
            Self::Tags { .. } => "lower case words, with `-` between them",
            Self::Choice(_) | Self::Toggle | Self::Null | Self::Selector => "",
            Self::Picker { is_free: false, is_multiple: false, .. } => "one from the catalog",
            Self::Picker { is_free: false, .. } => "only from the catalog",
            _ => "",
        };
        let of_schema = match self {
            Self::Choice(_)
            | Self::Toggle
            | Self::Null
            | Self::Selector
            | Self::Repo
            | Self::RepoPart(_)
            | Self::Object => String::new(),
            _ => rule::rule(schema, patterns),
        };
        [own, &of_schema].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join("; ")
    }

    /// Names it for a remark.
    pub fn words(&self, schema: &Json) -> &'static str {
        match self {
            Self::Number(_) => "a number",
            Self::Toggle => "yes or no",
            Self::Choice(_) => "a choice",
            Self::Several(_) | Self::List => "a list",
            Self::Object if schema.get("properties").is_none() => "keys with values",
            Self::Object => "its single fields",
            _ => "plain text",
        }
    }
}

/// Finds what was typed among the options: a label, a value, either without case.
fn chosen(options: &[Labelled], typed: &str) -> Option<Json> {
    let typed = typed.trim();
    let same = |text: &str| text.to_lowercase() == typed.to_lowercase();
    let tests: [&dyn Fn(&Labelled) -> bool; 4] = [
        &|option| option.value.text() == typed,
        &|option| option.label == typed,
        &|option| same(&option.label),
        &|option| same(&option.value.text()),
    ];
    tests
        .iter()
        .find_map(|test| options.iter().find(|option| test(option)))
        .map(|option| option.value.clone())
}

/// Reads a list or mapping that was typed in one line.
fn flow(typed: &str) -> Option<Json> {
    typed
        .trim_start()
        .starts_with(['[', '{', '-'])
        .then(|| super::yaml::parse(typed, "typed text").ok())
        .flatten()
}
