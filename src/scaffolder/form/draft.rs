//! A form that is put aside and taken up again, by another process and maybe after the template changed.

use super::json::{Json, Map, json_list};
use super::kind::Kind;
use super::{Facts, Form, json};
use crate::scaffolder::{Template, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What is kept of a form; never a secret.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Draft {
    /// The answers, an object.
    pub answers: Value,
    /// Which of several forms were chosen, by selector.
    pub options: BTreeMap<String, usize>,
    /// Fields that somebody emptied: their default does not come back.
    pub emptied: Vec<String>,
    /// Pages that were shown.
    pub visited: BTreeSet<usize>,
    /// The page that was shown last.
    pub page: usize,
}

impl Draft {
    /// Writes it as one line of JSON.
    pub fn to_text(&self) -> String {
        let list = |numbers: &BTreeSet<usize>| {
            numbers.iter().map(|at| Json::Int(*at as i64)).collect::<Vec<_>>().into()
        };
        let options: Map =
            self.options.iter().map(|(key, at)| (key.as_str(), Json::Int(*at as i64))).collect();
        let emptied: Vec<Json> = self.emptied.iter().map(|pointer| Json::from(pointer.as_str())).collect();
        let fields: Map = [
            ("answers", Json::of(&self.answers)),
            ("options", options.into()),
            ("emptied", emptied.into()),
            ("visited", list(&self.visited)),
            ("page", Json::Int(self.page as i64)),
        ]
        .into_iter()
        .collect();
        Json::from(fields).to_string()
    }

    /// Reads what [`Self::to_text`] wrote; `None` when it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let json = super::yaml::parse(text, "draft").ok()?;
        let answers = json.get("answers").filter(|answers| answers.as_object().is_some())?;
        let options = json.get("options").and_then(Json::as_object).into_iter().flat_map(Map::iter);
        Some(Self {
            answers: answers.to_value(),
            options: options.filter_map(|(key, at)| Some((key.to_string(), at.as_count()?))).collect(),
            emptied: json_list(json.get("emptied")).iter().map(Json::text).collect(),
            visited: json_list(json.get("visited")).iter().filter_map(Json::as_count).collect(),
            page: json.get("page").and_then(Json::as_count).unwrap_or(0),
        })
    }
}

impl Form {
    /// Returns what has to be kept to go on later.
    pub fn draft(&self) -> Draft {
        let mut answers = self.state.values.clone();
        for (pointer, _) in self.inner.iter().filter(|(_, inner)| inner.is_masked) {
            answers.remove(pointer);
        }
        let emptied = self.touched.iter().filter(|pointer| {
            let is_masked = self.inner.get(*pointer).is_some_and(|inner| inner.is_masked);
            !is_masked && self.inner.contains_key(*pointer) && self.state.values.at(pointer).is_none()
        });
        Draft {
            answers: answers.to_value(),
            options: self.state.options.clone(),
            emptied: emptied.cloned().collect(),
            visited: self.visited.clone(),
            page: self.current,
        }
    }

    /// Takes a form up again; keeps what still fits and says, a line each, what does not.
    pub fn restore(template: Arc<Template>, draft: &Draft, facts: Facts) -> (Self, Vec<String>) {
        let mut form = Self::with_draft(template, draft, facts);
        let mut notes = Vec::new();
        for (name, value) in Json::of(&draft.answers).as_object().into_iter().flat_map(Map::iter) {
            let pointer = json::join("", name);
            if !form.inner.contains_key(&pointer) {
                form.state.values.remove(&pointer);
                notes.push(format!(
                    "`{name}` is no longer asked for; its answer ({}) was left out",
                    crate::model::text::cut(&value.text(), 40)
                ));
            }
        }
        for (pointer, title) in form.misfits() {
            if let Some(value) = form.state.values.remove(&pointer) {
                notes.push(format!(
                    "{title} is asked for in another way now; its answer ({}) was left out",
                    crate::model::text::cut(&value.text(), 40)
                ));
            }
        }
        form.settle();
        for (_, fault) in form.faults.iter().filter(|(_, fault)| fault.keyword != "required") {
            let title = form.inner.get(&fault.pointer).map_or(fault.pointer.as_str(), |inner| &inner.title);
            notes.push(format!("{title}: {}", fault.message));
        }
        let mut secrets: Vec<&str> = form
            .inner
            .values()
            .filter(|inner| inner.kind == Kind::Secret)
            .map(|inner| inner.title.as_str())
            .collect();
        secrets.sort_unstable();
        if !secrets.is_empty() {
            notes.push(format!("secrets are not kept, type again: {}", secrets.join(", ")));
        }
        let pages = form.pages.len();
        form.visited = draft.visited.iter().copied().filter(|page| *page < pages).collect();
        form.current = draft.page.min(pages.saturating_sub(1));
        form.show_visited();
        (form, notes)
    }

    fn with_draft(template: Arc<Template>, draft: &Draft, facts: Facts) -> Self {
        let mut form = Self::with_options(template, &draft.answers, facts, draft.options.clone());
        // a default that somebody took away stays away
        for pointer in &draft.emptied {
            if form.inner.contains_key(pointer) {
                form.state.values.remove(pointer);
            }
        }
        form.settle();
        form
    }

    /// Answers of another type than is asked for now.
    fn misfits(&self) -> Vec<(String, String)> {
        let misfit = |(_, fault): &&(usize, super::Fault)| fault.keyword == "type";
        self.faults
            .iter()
            .filter(misfit)
            .filter_map(|(_, fault)| {
                Some((fault.pointer.clone(), self.inner.get(&fault.pointer)?.title.clone()))
            })
            .collect()
    }

    /// Mistakes of pages that were left before are shown again.
    fn show_visited(&mut self) {
        for page in self.visited.clone() {
            let pointers: Vec<String> = self
                .fields(page)
                .iter()
                .filter(|field| !field.value.is_undefined())
                .map(|field| field.pointer.clone())
                .collect();
            self.shown.extend(pointers);
        }
        self.show_errors();
    }
}
