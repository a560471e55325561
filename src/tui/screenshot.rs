//! The same update and view code without a terminal: for bug reports, pictures and tests.
//!
//! [`Headless`] is a face that carries effects out at once and in order; [`picture`] prints what it
//! would show as text, with ANSI codes, or as SVG.

use super::services::World;
use super::{Services, Start};
use crate::app::App;
use crate::app::event::{Effect, Event, TaskEvent};
use crate::ui;
use crate::ui::theme::ANSI;
use jiff::Timestamp;
use ratatui::buffer::{Buffer, Cell};
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::sync::Mutex;

/// How a picture is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Characters only.
    Text,
    /// Characters with colours as ANSI codes.
    Ansi,
    /// A drawing.
    Svg,
}

/// The application without a terminal.
pub struct Headless {
    /// The application.
    pub app: App,
    services: Services,
    size: Rect,
    /// Effects that only a terminal can carry out, in order.
    pub left_out: Vec<Effect>,
}

impl Headless {
    /// Starts the application at a size and waits until it has loaded.
    pub fn start(start: Start, width: u16, height: u16) -> Self {
        let Start { cx, line, services } = start;
        let app = App::new(cx, &line);
        let mut face = Self { app, services, size: Rect::new(0, 0, width, height), left_out: Vec::new() };
        face.send(Event::Resize(width, height));
        let effects = face.app.start(false);
        face.settle(effects);
        face
    }

    /// Sends an event and carries out everything that follows from it.
    pub fn send(&mut self, event: Event) {
        if let Event::Resize(width, height) = event {
            self.size = Rect::new(0, 0, width, height);
        }
        let effects = self.app.update(event, Timestamp::now());
        self.settle(effects);
    }

    /// Draws the screen.
    pub fn draw(&self) -> Buffer {
        let mut buf = Buffer::empty(self.size);
        ui::draw(&self.app, &mut buf);
        buf
    }

    fn settle(&mut self, effects: Vec<Effect>) {
        let mut queue: VecDeque<Effect> = effects.into();
        while let Some(effect) = queue.pop_front() {
            let is_for_terminal = matches!(
                effect,
                Effect::Quit
                    | Effect::Suspend
                    | Effect::Repaint
                    | Effect::Mouse(_)
                    | Effect::Timer(..)
                    | Effect::Copy { .. }
                    | Effect::Edit { .. }
                    | Effect::OpenUrl(_)
                    | Effect::SaveText { .. }
                    | Effect::SaveLogs { .. }
                    | Effect::SaveSetting { .. }
                    | Effect::Backend(_)
                    | Effect::Shell { .. }
                    | Effect::Remember(_)
            );
            if is_for_terminal {
                self.left_out.push(effect);
                continue;
            }
            queue.extend(self.answers(&effect));
        }
    }

    /// Carries out an effect of [`Self::left_out`] after all, and everything that follows from it.
    pub fn perform(&mut self, effect: &Effect) {
        let effects = self.answers(effect);
        self.settle(effects);
    }

    /// Returns the command of the editor that is configured.
    pub fn editor(&self) -> &str {
        &self.services.editor
    }

    fn answers(&mut self, effect: &Effect) -> Vec<Effect> {
        let world = World {
            catalog: self.app.cx.catalog.clone(),
            kubernetes: self.app.cx.kubernetes.clone(),
            me: self.app.cx.me.clone(),
            stars: self.app.cx.stars.clone(),
        };
        let answers: Mutex<Vec<TaskEvent>> = Mutex::new(Vec::new());
        self.services.perform(effect, &world, &|event| {
            if let Ok(mut answers) = answers.lock() {
                answers.push(event);
            }
        });
        let answers = answers.into_inner().unwrap_or_default();
        let update = |answer| self.app.update(Event::Task(answer), Timestamp::now());
        answers.into_iter().flat_map(update).collect()
    }
}

/// Prints a screen.
pub fn picture(buf: &Buffer, form: Form) -> String {
    match form {
        Form::Text => text(buf),
        Form::Ansi => ansi(buf),
        Form::Svg => svg(buf),
    }
}

/// Returns the cells of a row that begin a character: a wide one covers the cell behind it.
fn row(buf: &Buffer, y: u16) -> Vec<(u16, &Cell)> {
    let mut cells = Vec::new();
    let mut x = buf.area.left();
    while x < buf.area.right() {
        let Some(cell) = buf.cell((x, y)) else { break };
        cells.push((x, cell));
        x += (crate::model::text::width(cell.symbol()) as u16).max(1);
    }
    cells
}

fn text(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let line: String = row(buf, y).iter().map(|(_, cell)| cell.symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn ansi(buf: &Buffer) -> String {
    let mut out = String::new();
    for y in buf.area.top()..buf.area.bottom() {
        let mut last = String::from("\u{1b}[0m");
        for (_, cell) in row(buf, y) {
            let codes = codes(cell);
            if codes != last {
                out.push_str(&codes);
                last = codes;
            }
            out.push_str(cell.symbol());
        }
        out.push_str("\u{1b}[0m\n");
    }
    out
}

fn codes(cell: &Cell) -> String {
    let mut out = String::from("\u{1b}[0");
    for (modifier, code) in [
        (Modifier::BOLD, 1),
        (Modifier::DIM, 2),
        (Modifier::ITALIC, 3),
        (Modifier::UNDERLINED, 4),
        (Modifier::REVERSED, 7),
    ] {
        if cell.modifier.contains(modifier) {
            let _ = write!(out, ";{code}");
        }
    }
    for (color, base, extended) in [(cell.fg, 30, 38), (cell.bg, 40, 48)] {
        match (ansi_number(color), color) {
            (Some(n), _) if n < 8 => drop(write!(out, ";{}", base + n)),
            (Some(n), _) => drop(write!(out, ";{}", base + 52 + n)),
            (None, Color::Rgb(r, g, b)) => drop(write!(out, ";{extended};2;{r};{g};{b}")),
            _ => {}
        }
    }
    out.push('m');
    out
}

fn ansi_number(color: Color) -> Option<u16> {
    ANSI.iter().position(|c| *c == color).map(|at| at as u16)
}

/// Width and height of a character in a drawing.
const CELL: (f32, f32) = (8.4, 18.0);
/// What the terminal's own colours look like in a drawing, in the order of ANSI.
const PALETTE: [&str; 16] = [
    "#1b1f27", "#d9534f", "#4faf62", "#c9a13b", "#5b8dd9", "#b57edc", "#3fb3b3", "#c8ccd4", "#6b7280",
    "#ef7b77", "#7bd08b", "#e5c15f", "#86aef0", "#d0a3f0", "#6fd6d6", "#f2f4f8",
];
const BACKGROUND: &str = "#1b1f27";
const FOREGROUND: &str = "#d8dee9";

fn svg(buf: &Buffer) -> String {
    let (cell_width, cell_height) = CELL;
    let width = f32::from(buf.area.width) * cell_width + 16.0;
    let height = f32::from(buf.area.height) * cell_height + 16.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         font-family=\"ui-monospace,'DejaVu Sans Mono','Noto Sans Mono',monospace\" font-size=\"14\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{BACKGROUND}\"/>\n"
    );
    for y in buf.area.top()..buf.area.bottom() {
        let top = f32::from(y) * cell_height + 8.0;
        for run in runs(buf, y) {
            let left = f32::from(run.x) * cell_width + 8.0;
            let run_width = run.cells as f32 * cell_width;
            let (mut fg, mut bg) = (hex(run.cell.fg, FOREGROUND), hex(run.cell.bg, BACKGROUND));
            let has = |modifier| run.cell.modifier.contains(modifier);
            if has(Modifier::REVERSED) {
                std::mem::swap(&mut fg, &mut bg);
            }
            if bg != BACKGROUND {
                let _ = writeln!(
                    out,
                    "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{run_width:.1}\" height=\"{cell_height}\" fill=\"{bg}\"/>"
                );
            }
            if run.text.trim().is_empty() {
                continue;
            }
            let bold = if has(Modifier::BOLD) { " font-weight=\"bold\"" } else { "" };
            let dim = if has(Modifier::DIM) { " opacity=\"0.6\"" } else { "" };
            let line = if has(Modifier::UNDERLINED) { " text-decoration=\"underline\"" } else { "" };
            let text = run.text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            let baseline = top + 13.5;
            let _ = writeln!(
                out,
                "<text x=\"{left:.1}\" y=\"{baseline:.1}\" textLength=\"{run_width:.1}\" xml:space=\"preserve\" \
                 fill=\"{fg}\"{bold}{dim}{line}>{text}</text>"
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

/// Cells of a row that look alike, side by side.
struct Run<'a> {
    x: u16,
    cells: usize,
    text: String,
    cell: &'a Cell,
}

fn runs(buf: &Buffer, y: u16) -> Vec<Run<'_>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (x, cell) in row(buf, y) {
        let cells = crate::model::text::width(cell.symbol()).max(1);
        let style = (cell.fg, cell.bg, cell.modifier);
        match runs.last_mut().filter(|run| (run.cell.fg, run.cell.bg, run.cell.modifier) == style) {
            Some(run) => {
                run.cells += cells;
                run.text.push_str(cell.symbol());
            }
            None => runs.push(Run { x, cells, text: cell.symbol().to_owned(), cell }),
        }
    }
    runs
}

fn hex(color: Color, default: &str) -> String {
    match (ansi_number(color), color) {
        (Some(n), _) => PALETTE.get(usize::from(n)).copied().unwrap_or(default).to_owned(),
        (None, Color::Rgb(r, g, b)) => format!("#{r:02x}{g:02x}{b:02x}"),
        _ => default.to_owned(),
    }
}
