//! The answers once more before anything is done: labels instead of values, secrets masked, objects flattened.

use super::Form;
use super::field::{ReviewRow, Widget};
use super::json::Json;
use super::kind::Kind;

/// What stands for a secret.
const MASK: &str = "******";

impl Form {
    /// Returns the rows of the review, page by page; what was not answered is left out.
    pub fn review(&self) -> Vec<ReviewRow> {
        let mut rows = Vec::new();
        for page in 0..self.pages.len() {
            let mut titles: Vec<(String, String)> = Vec::new();
            // what one row stands for, the rows below it do not say again
            let mut told: Option<String> = None;
            for field in self.fields(page) {
                let Some(inner) = self.inner.get(&field.pointer) else { continue };
                if told.as_ref().is_some_and(|above| super::is_within(&field.pointer, above)) {
                    continue;
                }
                let Some(value) = self.state.values.at(&field.pointer) else { continue };
                titles.retain(|(above, _)| super::is_within(&field.pointer, above));
                let review = inner.ui.get("backstage.review");
                let option = |key: &str| review.and_then(|review| review.get(key));
                let name = option("name").and_then(Json::as_str).unwrap_or(&field.title);
                let title = titles
                    .iter()
                    .map(|(_, title)| title.as_str())
                    .chain([name])
                    .collect::<Vec<_>>()
                    .join(" > ");
                if option("show").and_then(Json::as_bool) == Some(false) {
                    told = Some(field.pointer.clone());
                    continue;
                }
                let text = if let Some(mask) = option("mask").and_then(Json::as_str) {
                    mask.to_owned()
                } else if inner.is_masked {
                    MASK.to_owned()
                } else if is_flat(&inner.kind, &field.widget, value, option("explode")) {
                    shown(&inner.kind, value)
                } else {
                    titles.push((field.pointer.clone(), name.to_owned()));
                    continue;
                };
                told = Some(field.pointer.clone());
                rows.push(ReviewRow { page, pointer: field.pointer.clone(), title, text });
            }
        }
        rows
    }
}

/// Whether a value is told in one row.
fn is_flat(kind: &Kind, widget: &Widget, value: &Json, explode: Option<&Json>) -> bool {
    match kind {
        Kind::Object => {
            explode.and_then(Json::as_bool) == Some(false)
                || matches!(widget, Widget::Object { .. })
                    && value.as_object().is_some_and(super::Map::is_empty)
        }
        Kind::List => value.as_list().is_some_and(|items| {
            items.iter().all(|item| item.as_object().is_none() && item.as_list().is_none())
        }),
        _ => true,
    }
}

fn shown(kind: &Kind, value: &Json) -> String {
    match (kind, value) {
        (Kind::Object, value) => value.to_string(),
        (Kind::List, Json::List(items)) => items.iter().map(Json::text).collect::<Vec<_>>().join(", "),
        _ => kind.text(value),
    }
}
