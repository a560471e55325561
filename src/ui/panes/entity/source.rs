//! The text tabs: the definition of an API, and the file the entity was read from.

use super::thing::Look;
use super::value::yaml;
use crate::app::Context;
use crate::app::commands::{CommandId, id};
use crate::app::event::{Effect, Generation, TaskEvent};
use crate::app::input::Key;
use crate::catalog::{Catalog, Entity};
use crate::config::theme::Role;
use crate::ui::entity_lines::{Definition, size};
use crate::ui::text::{Line, put_line, span};
use crate::ui::theme::Sign;
use crate::ui::widgets::TextView;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// Most bytes of YAML shown while the file is being read.
const MEANWHILE: usize = 256 * 1024;

/// A text with one line above it that says what it is.
#[derive(Debug, Default)]
pub struct TextTab {
    /// The text.
    pub view: TextView,
    /// What stands above it.
    note: Line,
    /// Name of the file that `ctrl-s` proposes.
    file_name: String,
    /// The snapshot that it was made from.
    catalog: Option<Arc<Catalog>>,
}

impl TextTab {
    /// Returns the lines that the text has in an area.
    pub fn height(area: Rect) -> usize {
        usize::from(area.height.saturating_sub(1))
    }

    /// Carries out a command of text; returns `None` when it is none.
    pub fn command(&mut self, command: CommandId, area: Rect) -> Option<Vec<Effect>> {
        if command == id::SAVE_TEXT {
            let (name, text) = (self.file_name.clone(), self.view.text().to_owned());
            return Some(vec![Effect::SaveText { name, text }]);
        }
        self.view.command(command, Self::height(area)).then(Vec::new)
    }

    /// Takes a key of the search line.
    pub fn key(&mut self, key: Key, area: Rect) -> Option<Vec<Effect>> {
        self.view.key(key, Self::height(area))
    }

    fn is_for(&self, cx: &Context) -> bool {
        self.catalog.as_ref().is_some_and(|catalog| Arc::ptr_eq(catalog, &cx.catalog))
    }

    fn set(&mut self, text: Arc<str>, note: Line, cx: &Context, area: Rect) {
        self.view.replace(text, Self::height(area));
        self.view.first_number = Some(1);
        self.note = note;
        self.catalog = Some(cx.catalog.clone());
    }

    /// Draws the line above and the text.
    pub fn draw(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let area = area.intersection(buf.area);
        put_line(cx, buf, area.x + 1, area.y, area.width.saturating_sub(1), &self.note);
        let body = Rect { y: area.y + 1.min(area.height), height: area.height.saturating_sub(1), ..area };
        self.view.draw(cx, body, buf);
    }
}

/// Makes the API tab for the snapshot of the context, unless it is already.
pub fn renew_definition(tab: &mut TextTab, look: &Look<'_>, area: Rect) {
    if tab.is_for(look.cx) {
        return;
    }
    let Some(entity) = &look.entity else { return };
    let kind = entity.entity_type();
    let extension = match kind {
        "graphql" => "graphql",
        "grpc" => "proto",
        _ => "yaml",
    };
    tab.file_name = format!("{}.{extension}", entity.name());
    let (text, note): (Arc<str>, Line) = match Definition::of(entity) {
        Definition::Text(text) => {
            (text.into(), vec![span(kind, Role::Accent), span(format!("  {}", size(text)), Role::Dim)])
        }
        Definition::NotFetched { address, reason } => {
            let sign = Sign::Unknown.text(look.cx);
            let refresh = look.cx.key(id::REFRESH_ALL);
            let text = format!(
                "The definition was not fetched.\n\naddress  {address}\nwhy      {reason}\n\n{refresh} reads all \
                 sources again."
            );
            (
                text.into(),
                vec![span(kind, Role::Accent), span(format!("  {sign} not fetched"), Role::Unknown)],
            )
        }
        Definition::Other(value) => {
            let (text, _) = yaml(value, usize::MAX);
            let note = vec![span(kind, Role::Accent), span("  written as fields, shown as YAML", Role::Dim)];
            (text.into(), note)
        }
        Definition::None => {
            let sign = Sign::Warn.text(look.cx);
            (Arc::from("It has no definition."), vec![span(format!("{sign} {kind}"), Role::Warn)])
        }
    };
    let is_text = matches!(Definition::of(entity), Definition::Text(_) | Definition::Other(_));
    tab.set(text, note, look.cx, area);
    tab.view.first_number = is_text.then_some(1);
}

/// The file as it is, or the entity as it was understood while there is none.
#[derive(Debug, Default)]
pub struct RawTab {
    /// The text.
    pub text: TextTab,
    generation: Generation,
    /// Whether the file's own text has been shown once; then the scroll is the user's.
    is_placed: bool,
}

impl RawTab {
    /// Asks for the file of the snapshot of the context, unless that is done.
    pub fn renew(&mut self, look: &Look<'_>, area: Rect) -> Vec<Effect> {
        let Some(entity) = look.entity.filter(|_| !self.text.is_for(look.cx)) else { return Vec::new() };
        self.generation = look.cx.next_generation();
        let location = entity.location();
        self.text.file_name = format!("{}.yaml", entity.name());
        if self.is_placed {
            // the old text stays until the new one is there
            self.text.catalog = Some(look.cx.catalog.clone());
        } else {
            let (text, is_cut) = yaml(entity.value(), MEANWHILE);
            let rest = if is_cut { " (its beginning)" } else { "" };
            let note = format!("reading {}… meanwhile, as it was understood{rest}:", location.file);
            self.text.set(text.into(), vec![span(note, Role::Info)], look.cx, area);
        }
        vec![Effect::ReadSource { generation: self.generation, entity: look.canonical.to_owned() }]
    }

    /// Takes the answer; returns whether it was for this tab.
    pub fn task(&mut self, task: &TaskEvent, look: &Look<'_>, area: Rect) -> bool {
        let TaskEvent::SourceRead { generation, result } = task else { return false };
        let Some(entity) = look.entity.filter(|_| *generation == self.generation) else { return false };
        match result {
            Ok(text) => self.show_file(text.clone(), &entity, look, area),
            Err(reason) => {
                let sign = Sign::Warn.text(look.cx);
                let note = format!("{sign} {reason}; this is the entity as it was understood:");
                let text = yaml(entity.value(), usize::MAX).0;
                self.text.set(text.into(), vec![span(note, Role::Warn)], look.cx, area);
                self.is_placed = false;
            }
        }
        true
    }

    fn show_file(&mut self, text: Arc<str>, entity: &Entity<'_>, look: &Look<'_>, area: Rect) {
        let lines = text.lines().count();
        let (first, last) = document_lines(&text, entity.location().line as usize);
        let location = entity.location();
        let mut note = vec![span(format!("{}:{}", location.file, location.line), Role::Text)];
        if (first, last) != (1, lines) {
            note.push(span(format!("  lines {first} to {last} of {lines}"), Role::Accent));
        }
        if let Some(source) = entity.source() {
            note.push(span(format!("  {} ({}) {}", source.name, source.kind, source.place), Role::Dim));
        }
        self.text.set(text, note, look.cx, area);
        self.text.view.span = Some((first, last));
        if !std::mem::replace(&mut self.is_placed, true) {
            let height = TextTab::height(area);
            self.text.view.offset = (first - 1).min(lines.saturating_sub(height));
        }
    }
}

/// Returns the first and last line (1-based) of the YAML document that a line belongs to.
fn document_lines(source: &str, line: usize) -> (usize, usize) {
    let is_end = |text: &str| {
        let rest = text.strip_prefix("---").or_else(|| text.strip_prefix("..."));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
    };
    let (mut first, mut last, mut total) = (1, None, 0);
    for (number, text) in source.lines().enumerate().map(|(at, text)| (at + 1, text)) {
        total = number;
        if is_end(text) {
            if number < line {
                first = number + 1;
            } else if number > line && last.is_none() {
                last = Some(number - 1);
            }
        }
    }
    let last = last.unwrap_or(total).max(1);
    (first.min(last), last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_lines_of_a_document() {
        let text = "# head\na: 1\n---\nb: 2\nc: |\n  --- no end\n--- # next\nd: 1\n...\n";
        for (line, expected) in [(2, (1, 2)), (4, (4, 6)), (8, (8, 8)), (99, (9, 9))] {
            let found = document_lines(text, line);
            assert_eq!(found, expected, "line {line}");
        }
        assert_eq!(document_lines("", 1), (1, 1));
    }
}
