//! A template as its entity describes it: pages of parameters, steps, output.
//!
//! Start at [`Template::of`]. Nothing is rendered or checked here; texts are as the author wrote them.
//! Reference: Backstage, *Writing Templates*, `scaffolder.backstage.io/v1beta3`.

use super::Value;
use crate::catalog::Entity;
use crate::model::value::ValueRef;
use minijinja::value::Serde;
use std::path::PathBuf;
use std::sync::Arc;
use url::Url;

/// What is asked and done to make something from a template.
#[derive(Debug, Clone)]
pub struct Template {
    /// Canonical ref of its entity.
    pub entity_ref: Arc<str>,
    /// The whole entity as read, for what asks of it by path.
    pub entity: Value,
    /// `metadata.title`, else its name.
    pub title: String,
    /// `metadata.description`; empty when absent.
    pub description: String,
    /// Pages of the form, in order.
    pub pages: Vec<Page>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// `spec.output` as written.
    pub output: Value,
    /// `spec.secrets.schema`; undefined when absent.
    pub secrets_schema: Value,
    /// Labels of the buttons that the author chose: back, review, create.
    pub labels: Labels,
    /// Where relative addresses start.
    pub base: Base,
}

/// A page of the form.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its title; a general one when the author gave none.
    pub title: String,
    /// Its description; empty when absent.
    pub description: String,
    /// JSON Schema with the `ui:` keys in it, as written.
    pub schema: Value,
    /// Tags of `backstage:permissions`.
    pub permission_tags: Vec<String>,
    /// Name in `backstage:featureFlag`.
    pub feature_flag: Option<String>,
}

/// Something that is done.
#[derive(Debug, Clone)]
pub struct Step {
    /// Its id; `step-N`, counted from 1, when the author gave none.
    pub id: String,
    /// Its name, else the action's.
    pub name: String,
    /// Id of the action: `fetch:template`.
    pub action: String,
    /// Input as written; undefined when absent.
    pub input: Value,
    /// `if` as written; undefined when absent.
    pub condition: Value,
    /// `each` as written; undefined when absent.
    pub each: Value,
    /// The run goes on although it failed.
    pub goes_on: bool,
    /// Tags of `backstage:permissions`.
    pub permission_tags: Vec<String>,
}

/// Labels of the buttons; `None` where the author chose none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Labels {
    /// Back.
    pub back: Option<String>,
    /// Review.
    pub review: Option<String>,
    /// Create.
    pub create: Option<String>,
}

/// Where relative addresses of a template start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// A folder on this machine; nothing outside it is read.
    Folder(PathBuf),
    /// A folder of a remote repository, `https://host/org/repo/tree/branch/path/`.
    Remote(Url),
    /// Compiled into the program: the path below the sample's root.
    Embedded(String),
    /// Nobody knows, and why.
    Unknown(String),
}

/// Title of a page whose author gave none; the original's words.
const UNTITLED: &str = "Please enter the following information";

impl Template {
    /// Reads the template out of its entity.
    pub fn of(entity: Entity<'_>, base: Base) -> Self {
        Self::read(entity.value(), entity.entity_ref(), base)
    }

    /// Reads a template out of a descriptor. What is missing or of another type reads as absent.
    pub fn read(entity: ValueRef<'_>, entity_ref: &str, base: Base) -> Self {
        let spec = entity.get("spec");
        let metadata = entity.get("metadata");
        let text = |field: &str| metadata.get(field).as_str().unwrap_or_default().to_owned();
        let title = Some(text("title")).filter(|title| !title.is_empty()).unwrap_or_else(|| text("name"));
        let steps = spec.get("steps").as_array().map(|steps| steps.iter().collect::<Vec<_>>());
        Self {
            entity_ref: entity_ref.into(),
            title,
            description: text("description"),
            pages: pages(spec.get("parameters")),
            steps: steps.unwrap_or_default().into_iter().zip(1..).map(step).collect(),
            output: optional(spec.get("output")),
            secrets_schema: optional(spec.get("secrets").get("schema")),
            labels: labels(spec.get("presentation").get("buttonLabels")),
            base,
            entity: Value::from(Serde(entity)),
        }
    }
}

/// One mapping is one page, a list is a page each.
fn pages(parameters: ValueRef<'_>) -> Vec<Page> {
    match parameters {
        ValueRef::Array(pages) => pages.iter().map(page).collect(),
        ValueRef::Object(_) => vec![page(parameters)],
        _ => Vec::new(),
    }
}

fn page(schema: ValueRef<'_>) -> Page {
    let text = |field: &str| schema.get(field).as_str().map(str::to_owned);
    Page {
        title: text("title").unwrap_or_else(|| UNTITLED.to_owned()),
        description: text("description").unwrap_or_default(),
        schema: Value::from(Serde(schema)),
        permission_tags: permission_tags(schema),
        feature_flag: text("backstage:featureFlag"),
    }
}

fn step((step, number): (ValueRef<'_>, usize)) -> Step {
    let text = |field: &str| step.get(field).scalar_text().filter(|text| !text.is_empty());
    let action = text("action").unwrap_or_default().into_owned();
    Step {
        id: text("id").map_or_else(|| format!("step-{number}"), std::borrow::Cow::into_owned),
        name: text("name").map_or_else(|| action.clone(), std::borrow::Cow::into_owned),
        input: optional(step.get("input")),
        condition: optional(step.get("if")),
        each: optional(step.get("each")),
        goes_on: matches!(step.get("continueOnFailure"), ValueRef::Bool(true)),
        permission_tags: permission_tags(step),
        action,
    }
}

fn labels(labels: ValueRef<'_>) -> Labels {
    let text = |field: &str| labels.get(field).as_str().map(str::to_owned);
    Labels {
        back: text("backButtonText"),
        review: text("reviewButtonText"),
        create: text("createButtonText"),
    }
}

fn permission_tags(value: ValueRef<'_>) -> Vec<String> {
    let tags = value.get("backstage:permissions").get("tags").as_array();
    let tags = tags.map(|tags| tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect());
    tags.unwrap_or_default()
}

/// An absent field is undefined, as the template language has it.
fn optional(value: ValueRef<'_>) -> Value {
    if value.is_null() { Value::UNDEFINED } else { Value::from(Serde(value)) }
}
