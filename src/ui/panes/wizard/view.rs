//! What the wizard looks like: title, line of steps, the stage, files beside the form.

use super::strip::{self, Mark};
use super::tree::{self, TreeLine};
use super::{Stage, WizardPane, review};
use crate::app::Context;
use crate::app::pane::Heading;
use crate::config::theme::Role;
use crate::scaffolder::run::RunStatus;
use crate::ui::text::{Line, line_width, put_line, span, wrap};
use crate::ui::widgets::Panel;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// Columns from which the files of the dry run stand beside the form.
pub const SPLIT: u16 = 100;

impl WizardPane {
    pub(super) fn title(&self, _cx: &Context) -> Heading {
        let pages = self.form.pages();
        let step = match self.stage {
            Stage::Form => {
                let title = pages.get(self.page).map_or("", |page| page.title.as_str());
                format!("step {} of {}: {title}", self.page + 1, pages.len() + 1)
            }
            Stage::Review => format!("step {0} of {0}: Review", pages.len() + 1),
            Stage::Run => {
                let status = self.running.as_ref().map(|running| running.page.state.status);
                match status.unwrap_or_default() {
                    RunStatus::Processing => "running",
                    RunStatus::Completed => "done",
                    RunStatus::Failed => "failed",
                    RunStatus::Cancelled => "stopped",
                }
                .to_owned()
            }
        };
        let name = crate::model::entity_ref::split_canonical(&self.target.template).2;
        Heading {
            crumbs: vec![super::SPEC.title.to_owned(), name.to_owned()],
            count: if self.stage == Stage::Run { String::new() } else { self.keep.words() },
            facts: vec![step],
            is_live: true,
            ..Heading::default()
        }
    }

    fn steps(&self) -> Vec<(String, Mark)> {
        let pages = self.form.pages();
        let mark = |at: usize, gaps: usize, is_visited: bool| match (self.stage, is_visited, gaps) {
            (Stage::Form, ..) if at == self.page => Mark::Here,
            (_, true, 0) => Mark::Done,
            (_, true, _) => Mark::Wrong,
            (_, false, _) => Mark::Ahead,
        };
        let mut steps: Vec<(String, Mark)> = pages
            .iter()
            .enumerate()
            .map(|(at, page)| (page.title.clone(), mark(at, page.gaps, page.is_visited)))
            .collect();
        let review = match self.stage {
            Stage::Form => Mark::Ahead,
            Stage::Review => Mark::Here,
            Stage::Run => Mark::Done,
        };
        let label = self.template.labels.review.clone().unwrap_or_else(|| "Review".to_owned());
        steps.push((label, review));
        if self.stage == Stage::Run {
            steps.push((self.create_label(), Mark::Here));
        }
        steps
    }

    pub(super) fn draw(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        if area.width == 0 || area.height == 0 {
            return;
        }
        let inner = Self::inner(area);
        if inner.y > area.y {
            let line = strip::line(cx, &self.steps(), usize::from(area.width));
            put_line(cx, buf, area.x, area.y, area.width, &line);
        }
        match self.stage {
            Stage::Form => {
                let (fields, side) = self.areas(cx, area);
                self.lines.draw(cx, fields, buf);
                if let Some(side) = side {
                    self.draw_files(cx, side, buf);
                }
            }
            Stage::Review => self.review.board.draw(cx, "Review", inner, buf),
            Stage::Run => {
                if let Some(running) = &self.running {
                    running.page.board.draw(cx, "Run", inner, buf);
                }
            }
        }
    }

    /// Draws what the dry run would make.
    fn draw_files(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        let found = self.ahead.found.as_ref();
        let note = match (found, self.ahead.is_running()) {
            (Some(found), false) => review::file_words(found),
            (Some(found), true) => format!("{}, reading again", review::file_words(found)),
            (None, _) => String::new(),
        };
        let inner = Panel { title: "Files, dry run", note: &note, is_focused: false }.draw(cx, area, buf);
        let room = inner.width.saturating_sub(2);
        let mut lines: Vec<Line> = Vec::new();
        if let Some(failure) = &self.ahead.failure {
            let words = wrap(failure, usize::from(room).max(8));
            lines.extend(words.into_iter().map(|part| vec![span(part, Role::Dim)]));
        }
        if found.is_none() && self.ahead.failure.is_none() {
            let words =
                if self.ahead.is_running() { "looking what comes of the answers" } else { "nothing yet" };
            lines.push(vec![span(words, Role::Dim)]);
        }
        for (row, line) in lines.iter().enumerate().take(usize::from(inner.height)) {
            put_line(cx, buf, inner.x + 1, inner.y + row as u16, room, line);
        }
        let Some(found) = found else { return };
        let files = &found.review.files;
        let top = inner.y + lines.len() as u16;
        let rows = &self.ahead.tree;
        let height = usize::from(inner.bottom().saturating_sub(top));
        let shown = if rows.len() > height { height.saturating_sub(1) } else { height };
        for (row, line) in rows.iter().take(shown).enumerate() {
            let y = top + row as u16;
            match line {
                TreeLine::Folder(name, depth) => {
                    put_line(cx, buf, inner.x + 1, y, room, &tree::folder(name, *depth));
                }
                TreeLine::File(at, depth) => {
                    let Some(file) = files.get(*at) else { continue };
                    let amount = found.amounts.get(*at).copied().unwrap_or_default();
                    let is_there = file.before.is_some();
                    let note = tree::note(cx, amount, false, None);
                    let width = (line_width(&note) as u16).min(room);
                    let line = tree::file(&file.path, *depth, amount, is_there);
                    put_line(cx, buf, inner.x + 1, y, room.saturating_sub(width + 1), &line);
                    put_line(cx, buf, inner.x + 1 + room - width, y, width, &note);
                }
            }
        }
        if rows.len() > height && height > 0 {
            let words = [span(format!("and {} more", rows.len() - shown), Role::Dim)];
            put_line(cx, buf, inner.x + 1, inner.bottom().saturating_sub(1), room, &words);
        }
    }
}
