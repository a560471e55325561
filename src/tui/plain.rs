//! The linear face: numbered lines and a prompt instead of a screen.
//!
//! For screen readers, dumb terminals and pipes. It drives the same application: what a pane shows is
//! drawn at a fixed width without frames and printed line by line; rows that can be opened carry a
//! number. A number opens, a word is a palette line or the title of an action. Every change is said
//! once; nothing moves by itself. Start at [`run`]; input that ends is a quit.

use super::screenshot::Headless;
use super::{Start, editor};
use crate::app::App;
use crate::app::commands::{Availability, CommandId, id};
use crate::app::event::{Effect, Event, Level, TaskEvent};
use crate::app::input::{Key, KeyCode, Mouse, MouseKind};
use crate::app::overlay::{Mode, Overlay, OverlayKind};
use crate::config::theme::Theme;
use crate::model::text::clean;
use crate::ui::text::text_of;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use std::io::{self, BufRead, Write};

/// Columns of what is printed: one region of every pane.
const WIDTH: u16 = 98;
/// Lines of a page; `more` goes on.
const PAGE: u16 = 40;
/// Longest line that is read, in bytes.
const MAX_LINE: u64 = 10_000;
/// Choices of a menu that are printed; typing narrows the rest.
const MAX_CHOICES: usize = 60;

/// Shows the application line by line until `quit` or the end of the input.
///
/// `is_terminal` says whether an editor may be started on the same terminal.
///
/// # Errors
/// When the output cannot be written, or the input cannot be read.
pub fn run(
    mut start: Start,
    input: &mut dyn BufRead,
    out: &mut dyn Write,
    is_terminal: bool,
) -> io::Result<()> {
    start.cx.theme = Theme::plain();
    start.cx.ascii = true;
    start.cx.is_plain = true;
    writeln!(out, "reading the catalog ...")?;
    out.flush()?;
    let mut plain =
        Plain { face: Headless::start(start, WIDTH, PAGE + 2), out, is_terminal, shown: String::new() };
    plain.talk(input)
}

/// A row that can be opened: its line of the page.
struct Row(usize);

struct Plain<'a> {
    face: Headless,
    out: &'a mut dyn Write,
    is_terminal: bool,
    /// Place whose actions were named last.
    shown: String,
}

impl Plain<'_> {
    fn talk(&mut self, input: &mut dyn BufRead) -> io::Result<()> {
        let mut rows = self.show()?;
        loop {
            if self.carry_out()? {
                return Ok(());
            }
            self.say()?;
            write!(self.out, "{}", self.prompt())?;
            self.out.flush()?;
            let mut line = String::new();
            let mut limited = io::Read::take(&mut *input, MAX_LINE);
            match limited.read_line(&mut line) {
                Ok(0) => return writeln!(self.out),
                Ok(_) => {}
                // bytes that are no text are a line that names nothing
                Err(error) if error.kind() == io::ErrorKind::InvalidData => "?".clone_into(&mut line),
                Err(error) => return Err(error),
            }
            if !self.is_terminal {
                writeln!(self.out)?;
            }
            if self.hear(line.trim(), &rows)? {
                if self.carry_out()? {
                    return Ok(());
                }
                rows = self.show()?;
            }
        }
    }

    fn app(&self) -> &App {
        &self.face.app
    }

    fn prompt(&self) -> &'static str {
        match self.app().overlays.last() {
            Some(overlay) if overlay.mode == Mode::Typing => "number, words to narrow, or back> ",
            Some(_) => "number or back> ",
            None if self.asks() => "answer, empty to go on, :back, :review, :leave> ",
            None if self.app().pane().is_some_and(crate::app::pane::Pane::is_typing) => {
                "text, or empty to leave> "
            }
            None => "> ",
        }
    }

    /// Takes a line; returns whether everything has to be shown again.
    fn hear(&mut self, line: &str, rows: &[Row]) -> io::Result<bool> {
        if !self.app().overlays.is_empty() {
            self.answer(line);
            return Ok(true);
        }
        if self.asks() {
            match line.strip_prefix(':') {
                Some("leave") => self.face.send(Event::Run(id::HISTORY)),
                Some(command) => self.act(command.trim()),
                None => self.answer_question(line),
            }
            return Ok(true);
        }
        if self.app().pane().is_some_and(crate::app::pane::Pane::is_typing) {
            self.type_in(line);
            return Ok(true);
        }
        let (first, rest) = line.split_once(char::is_whitespace).map_or((line, ""), |(a, b)| (a, b.trim()));
        if let Ok(number) = first.parse::<usize>() {
            let Some(row) = number.checked_sub(1).and_then(|at| rows.get(at)) else {
                writeln!(self.out, "there is no row {number}")?;
                return Ok(false);
            };
            self.point_at(row.0);
            self.act(if rest.is_empty() { "open" } else { rest });
            return Ok(true);
        }
        match (first, rest) {
            ("", _) => {}
            ("?", _) => self.act("help"),
            ("more" | "next", "") => self.act(id::PAGE_DOWN.0),
            ("less" | "previous", "") => self.act(id::PAGE_UP.0),
            ("filter" | "search" | "/", text) => return self.filter(text),
            _ => match line.strip_prefix('/') {
                Some(text) => return self.filter(text),
                None => self.act(line),
            },
        }
        Ok(true)
    }

    /// Returns whether the place asks one question after another.
    fn asks(&self) -> bool {
        self.app().pane().is_some_and(crate::app::pane::Pane::is_form)
    }

    /// Answers the focused question; an empty line leaves the answer as it is.
    fn answer_question(&mut self, line: &str) {
        if !line.is_empty() {
            self.face.send(Event::Key(Key::ctrl('u')));
            self.face.send(Event::Paste(line.to_owned()));
        }
        self.face.send(Event::Key(Key::plain(KeyCode::Enter)));
    }

    /// Does what a line says: the title or name of an action of this place, else a palette line.
    fn act(&mut self, line: &str) {
        let command = self.find(line);
        match command {
            Some(command) => self.face.send(Event::Run(command)),
            None => self.face.send(Event::Line(line.to_owned())),
        }
    }

    fn find(&self, line: &str) -> Option<CommandId> {
        let rows = self.app().rows();
        // a place word with the name of an action means the place: `graph` opens what is typed
        let is_place = |row: &crate::app::commands::CommandSpec| row.id.0.starts_with("go.");
        let named = rows.iter().find(|row| row.id.0 == line || (row.title == line && is_place(row)));
        named.or_else(|| rows.iter().find(|row| row.title == line)).map(|row| row.id)
    }

    fn filter(&mut self, text: &str) -> io::Result<bool> {
        let rows = self.app().rows();
        let find = |id: CommandId| rows.iter().any(|row| row.id == id).then_some(id);
        let Some(command) = find(id::FILTER).or_else(|| find(id::SEARCH)).or_else(|| self.find("search"))
        else {
            writeln!(self.out, "there is nothing to filter here")?;
            return Ok(false);
        };
        self.face.send(Event::Run(command));
        if !text.is_empty() {
            self.type_in(text);
        }
        Ok(true)
    }

    /// Replaces what stands in the text input of the pane and takes it; an empty line leaves it.
    fn type_in(&mut self, text: &str) {
        if text.is_empty() {
            self.face.send(Event::Key(Key::plain(KeyCode::Esc)));
            return;
        }
        self.face.send(Event::Key(Key::ctrl('u')));
        self.face.send(Event::Paste(text.to_owned()));
        self.face.send(Event::Key(Key::plain(KeyCode::Enter)));
    }

    /// Answers an overlay: a number chooses, `back` leaves, other words narrow it.
    fn answer(&mut self, line: &str) {
        let Some(overlay) = self.face.app.overlays.last() else { return };
        let (len, mode) = (overlay.shown.len(), overlay.mode);
        let is_prompt = matches!(overlay.kind, OverlayKind::Prompt(_));
        match (line.parse::<usize>(), line) {
            (Ok(number), _) if (1..=len.min(MAX_CHOICES)).contains(&number) => {
                self.face.send(Event::Row { row: number - 1, is_chosen: true });
            }
            (_, "" | "back" | "quit") => self.face.send(Event::Key(Key::plain(KeyCode::Esc))),
            (Err(_), text) if mode == Mode::Typing => {
                self.face.send(Event::Key(Key::ctrl('u')));
                self.face.send(Event::Paste(text.to_owned()));
                if is_prompt {
                    self.face.send(Event::Key(Key::plain(KeyCode::Enter)));
                }
            }
            (Err(_), text) => {
                let letters: Vec<char> = text.chars().collect();
                let letter = match (text, letters.as_slice()) {
                    ("yes", _) => Some('y'),
                    ("no", _) => Some('n'),
                    (_, [letter]) => Some(*letter),
                    _ => None,
                };
                if let Some(letter) = letter {
                    self.face.send(Event::Key(Key::char(letter)));
                }
            }
            (Ok(_), _) => {}
        }
    }

    /// Carries out what only a terminal can do; returns whether it is over.
    fn carry_out(&mut self) -> io::Result<bool> {
        while !self.face.left_out.is_empty() {
            for effect in std::mem::take(&mut self.face.left_out) {
                match effect {
                    Effect::Quit => return Ok(true),
                    Effect::Copy { what, text } => writeln!(self.out, "{what}:\n{}", clean_lines(&text))?,
                    Effect::Edit { path, line, column } => self.edit(&path, line, column)?,
                    Effect::OpenUrl(url) if !self.is_terminal => writeln!(self.out, "{}", clean(&url))?,
                    effect @ (Effect::OpenUrl(_)
                    | Effect::SaveText { .. }
                    | Effect::SaveSetting { .. }
                    | Effect::Backend(_)
                    | Effect::Remember(_)) => self.face.perform(&effect),
                    // a timer would take back what is printed once; the rest is for a screen
                    _ => {}
                }
            }
        }
        Ok(false)
    }

    fn edit(&mut self, path: &str, line: u32, column: u32) -> io::Result<()> {
        if !self.is_terminal {
            return writeln!(self.out, "{}:{line}:{column}", clean(path));
        }
        let words = editor::command(self.face.editor(), path, line, column);
        let Some((program, arguments)) = words.split_first() else { return Ok(()) };
        let answer = match std::process::Command::new(program).args(arguments).status() {
            Ok(status) if status.success() => TaskEvent::EditorClosed,
            Ok(status) => TaskEvent::Failed(format!("`{program}` ended with {status}")),
            Err(error) => TaskEvent::Failed(format!("could not start `{program}`: {error}; set $EDITOR")),
        };
        self.face.send(Event::Task(answer));
        Ok(())
    }

    /// Says a short message once.
    fn say(&mut self) -> io::Result<()> {
        match self.face.app.toast.take() {
            Some((Level::Error, text)) => writeln!(self.out, "error: {}", clean(&text)),
            Some((_, text)) => writeln!(self.out, "{}", clean(&text)),
            None => Ok(()),
        }
    }

    /// Prints the menu on top, or the place; returns its numbered rows.
    fn show(&mut self) -> io::Result<Vec<Row>> {
        if let Some(overlay) = self.face.app.overlays.last() {
            show_overlay(overlay, self.out)?;
            return Ok(Vec::new());
        }
        let Some(pane) = self.app().pane() else { return Ok(Vec::new()) };
        let heading = pane.heading(&self.app().cx);
        let filter =
            heading.filter.filter(|filter| !filter.is_empty()).map(|filter| format!("filter {filter}"));
        let count = (!heading.count.is_empty()).then_some(heading.count);
        let marked = (heading.marked > 0).then(|| format!("{} marked", heading.marked));
        let parts = [Some(heading.crumbs.join(" > ")), filter, count, marked];
        let title = parts.into_iter().flatten().collect::<Vec<_>>().join(", ");
        writeln!(self.out, "\n{}", clean(&title))?;
        let rows = self.rows();
        let page = self.page();
        for (at, line) in page.iter().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match rows.iter().position(|row| row.0 == at) {
                Some(number) => {
                    let mark = if cursor(&page) == Some(at) { '*' } else { ' ' };
                    writeln!(self.out, "{mark}{:>3} {}", number + 1, line.get(1..).unwrap_or("").trim())?;
                }
                None => writeln!(self.out, "     {}", line.trim_end())?,
            }
        }
        self.name_actions()?;
        Ok(rows)
    }

    /// Names the actions when the place is a new one.
    fn name_actions(&mut self) -> io::Result<()> {
        let Some(pane) = self.app().pane() else { return Ok(()) };
        let id = pane.spec().id.to_owned();
        if id == self.shown {
            return Ok(());
        }
        self.shown = id;
        let app = self.app();
        let rows = app.rows();
        let named =
            rows.iter().filter(|row| row.footer > 0 && app.availability(row) == Availability::Available);
        let mut titles: Vec<&str> = Vec::new();
        for row in named {
            if !titles.contains(&row.title) {
                titles.push(row.title);
            }
        }
        let places: Vec<&str> = app.cx.panes.iter().filter(|spec| spec.go.is_some()).map(|s| s.id).collect();
        writeln!(self.out, "a number opens; with a word it does that to the row: {}", titles.join(", "))?;
        writeln!(self.out, "places: {}; also filter TEXT, more, less, back, ?, quit", places.join(", "))
    }

    /// Draws the place alone.
    fn page(&self) -> Vec<String> {
        let cx = &self.app().cx;
        let mut buf = Buffer::empty(Rect::new(0, 0, WIDTH, PAGE + 2));
        if let Some(pane) = self.app().pane() {
            pane.view(cx, cx.area, &mut buf);
        }
        text_of(&buf)
    }

    /// Finds the rows of the page: the lines that take the cursor when they are clicked, which scrolls
    /// nothing. The cursor comes back.
    fn rows(&mut self) -> Vec<Row> {
        // a click would leave the question, which then counts as looked at
        if self.asks() {
            return Vec::new();
        }
        let page = self.page();
        let Some(start) = cursor(&page) else { return Vec::new() };
        let mut rows = Vec::new();
        for line in (0..page.len()).filter(|at| page.get(*at).is_some_and(|line| !line.trim().is_empty())) {
            self.point_at(line);
            if cursor(&self.page()) == Some(line) {
                rows.push(Row(line));
            }
        }
        self.point_at(start);
        rows
    }

    /// Clicks on the cursor's column of a line, left of every word.
    fn point_at(&mut self, line: usize) {
        let mouse = Mouse { kind: MouseKind::Click, column: 0, row: line as u16 };
        self.face.send(Event::Mouse(mouse));
    }
}

/// Returns the line with the cursor's mark.
fn cursor(page: &[String]) -> Option<usize> {
    page.iter().position(|line| line.starts_with('>'))
}

fn show_overlay(overlay: &Overlay, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", clean(&overlay.title))?;
    for line in &overlay.text {
        writeln!(out, "     {}", clean(line))?;
    }
    let mut heading = "";
    for (at, item) in overlay.shown.iter().filter_map(|at| overlay.items.get(*at)).enumerate() {
        if at == MAX_CHOICES {
            writeln!(out, "     and {} more; type words to narrow", overlay.shown.len() - MAX_CHOICES)?;
            break;
        }
        if item.heading != heading {
            heading = item.heading;
            writeln!(out, "  {heading}")?;
        }
        let check = match item.checked {
            Some(true) => "on: ",
            Some(false) => "off: ",
            None => "",
        };
        let detail = match &item.disabled {
            Some(reason) => format!("not now: {reason}"),
            None => item.detail.clone(),
        };
        let line = format!("{check}{}  {detail}", item.label);
        writeln!(out, " {:>3} {}", at + 1, clean(line.trim_end()))?;
    }
    if overlay.shown.is_empty() {
        writeln!(out, "     nothing matches")?;
    }
    Ok(())
}

fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::Context;
    use crate::app::context::Me;
    use crate::catalog::{LoadOptions, Loader};
    use crate::config::source::SourceConfig;
    use crate::tui::Services;
    use crate::tui::services::Order;

    fn start(line: &str) -> Start {
        let services = Services {
            load: Box::new(|progress| {
                let options = LoadOptions { offline: true, ..LoadOptions::default() };
                (Loader::new(vec![SourceConfig::sample()], options).load(progress), Me::default())
            }),
            read_source: Box::new(|_, _| Ok("apiVersion: x".into())),
            revisions: Box::new(|_, _| Err("there are no revisions here".to_owned())),
            docs: crate::tui::services::Docs::of(std::sync::Arc::new(Loader::new(
                vec![SourceConfig::sample()],
                LoadOptions { offline: true, ..LoadOptions::default() },
            ))),
            remember: Box::new(|_| Ok(())),
            load_theme: Box::new(|_| Ok(Theme::plain())),
            save_setting: Box::new(|_, _| Err("not in a test".to_owned())),
            editor: String::new(),
            state_folder: std::path::PathBuf::new(),
            order: Order::default(),
            refresh: None,
            backend: None,
            refresher: std::sync::OnceLock::new(),
            connect: None,
            hub: std::sync::OnceLock::new(),
            scaffold: None,
        };
        Start { cx: Context::new(crate::ui::panes::ALL), line: line.to_owned(), services }
    }

    /// What is printed in answer to these lines, the last line's answer last.
    fn talk(place: &str, lines: &str) -> String {
        let mut out = Vec::new();
        run(start(place), &mut lines.as_bytes(), &mut out, false).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ends_with_its_input() {
        let text = talk("", "");
        assert!(text.contains("Home, 87 entities") || text.contains("Home,"), "{text}");
    }

    #[test]
    fn a_number_opens_a_row_and_back_returns() {
        let text = talk("catalog kind:group", "1\nback\nquit\nnever read\n");
        let title = |name: &str| text.matches(&format!("\n{name}")).count();
        assert_eq!(title("Catalog"), 2, "{text}");
        assert!(!text.contains("never"), "{text}");
    }

    #[test]
    fn a_word_filters_and_goes_to_places() {
        let text = talk("", "catalog owner:payments\nfilter checkout-api\n");
        assert!(text.contains("filter owner:payments"), "{text}");
        assert!(text.contains("filter checkout-api"), "{text}");
    }

    #[test]
    fn a_number_with_a_word_acts_on_that_row() {
        let text = talk("catalog checkout-api kind:component", "1 copy\n");
        assert!(text.contains("name:\ncheckout-api\n"), "{text}");
    }

    #[test]
    fn menus_are_numbered() {
        let text = talk("catalog", "?\nback\ntheme\n1\n");
        assert!(text.contains("help: Catalog") && text.contains("number, words to narrow"), "{text}");
        assert!(text.contains("\ntheme\n"), "{text}");
    }

    #[test]
    fn every_row_of_a_page_has_a_number_and_the_cursor_stays() {
        for (place, rows) in [("catalog", 38), ("catalog kind:api", 7), ("home", 12)] {
            let text = talk(place, "\n");
            let number = |line: &str| line.get(1..5).and_then(|part| part.trim().parse::<usize>().ok());
            let numbers: Vec<usize> = text.lines().filter_map(number).collect();
            let half = numbers.len() / 2;
            assert!(half >= rows, "{place}: {half}\n{text}");
            assert_eq!(numbers[..half], (1..=half).collect::<Vec<_>>(), "{text}");
            assert_eq!(numbers[half..], numbers[..half], "the second time is as the first: {text}");
        }
    }

    #[test]
    fn an_unknown_word_is_told() {
        let text = talk("", "catalogg\n");
        assert!(text.contains("did you mean `catalog`"), "{text}");
    }

    #[test]
    fn prints_no_frames_and_no_codes() {
        for place in ["", "catalog", "problems", "settings"] {
            let text = talk(place, "more\nless\n");
            assert!(!text.contains(['\u{1b}', '│', '─', '┌', '⠋']), "{text}");
            assert!(!text.contains("+--"), "{text}");
        }
    }
}
