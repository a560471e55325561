//! What the tests of panes share: a context over a small catalog, a drawn pane as text.

use crate::app::Context;
use crate::app::commands::CommandId;
use crate::app::event::Effect;
use crate::app::pane::{Input, Pane};
use crate::catalog::progress::Progress;
use crate::catalog::{Catalog, LoadOptions, Loader};
use crate::config::source::SourceConfig;
use crate::ui::text::text_of;
use jiff::Timestamp;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::sync::Arc;

/// Returns a context over the built-in sample catalog, on a screen of this size.
pub fn sample(width: u16, height: u16) -> Context {
    over(load(SourceConfig::sample()), width, height)
}

/// Returns a context over the entities of one YAML stream.
///
/// # Panics
/// When the temporary folder cannot be written.
pub fn yaml(text: &str, width: u16, height: u16) -> Context {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("catalog-info.yaml"), text).unwrap();
    over(load(SourceConfig::dir(folder.path())), width, height)
}

/// Returns a context over a snapshot; `width` and `height` are the whole screen's.
pub fn over(catalog: Arc<Catalog>, width: u16, height: u16) -> Context {
    let mut cx = Context::new(super::ALL);
    cx.catalog = catalog;
    cx.area = crate::ui::body(Rect::new(0, 0, width, height));
    cx.loaded_at = Some(Timestamp::UNIX_EPOCH);
    cx
}

/// Opens a pane of the registry at an argument, shown once.
///
/// # Panics
/// When there is no such pane, or it refuses the argument.
pub fn open(id: &str, argument: &str, cx: &Context) -> Box<dyn Pane> {
    let spec = super::ALL.iter().find(|spec| spec.id == id).unwrap();
    let mut pane = (spec.open)(argument, cx).unwrap();
    pane.update(Input::Shown, cx);
    pane
}

/// Hands a command to a pane.
pub fn run(pane: &mut dyn Pane, command: CommandId, cx: &Context) -> Vec<Effect> {
    pane.update(Input::Command(command), cx)
}

/// Draws a pane into its area and returns the lines, without spaces at their ends.
pub fn lines(pane: &dyn Pane, cx: &Context) -> Vec<String> {
    let mut buf = Buffer::empty(cx.area);
    pane.view(cx, cx.area, &mut buf);
    text_of(&buf)
}

fn load(source: SourceConfig) -> Arc<Catalog> {
    let options = LoadOptions { offline: true, ..LoadOptions::default() };
    Loader::new(vec![source], options).load(&Progress::none())
}
