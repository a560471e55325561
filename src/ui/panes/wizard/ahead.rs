//! The dry run that follows the answers: its files beside the form, its findings in the review.
//!
//! One at a time: what changes while one runs is looked at by the next. It never runs for a form nobody sees
//! it beside, except for the review.

use super::tree::{self, TreeLine};
use super::{Stage, WizardPane, commands, has_ended, review, shared};
use crate::app::Context;
use crate::app::commands::{Availability, CommandId};
use crate::app::event::{Effect, Generation, Level, Shared};
use crate::app::overlay::Overlay;
use crate::app::templates::{Reviewed, TemplateOrder};
use crate::config::secret::Secret;
use crate::scaffolder::Value;
use crate::scaffolder::run::{Decisions, Job};
use secrecy::ExposeSecret as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// State of the dry run.
#[derive(Default)]
pub(super) struct Ahead {
    /// What the newest one found.
    pub found: Option<Arc<Reviewed>>,
    /// Its files as a tree.
    pub tree: Vec<TreeLine>,
    /// Why it found nothing.
    pub failure: Option<String>,
    /// What is decided about files that are there.
    pub decisions: Decisions,
    /// The folder that the files go to instead of being published.
    pub out: Option<PathBuf>,
    /// The one under way, with the answers it is about.
    running: Option<(Generation, Value)>,
    /// The answers that `found` or `failure` are about.
    about: Option<Value>,
}

impl Ahead {
    /// Returns whether what was found is about older answers.
    pub fn is_running(&self) -> bool {
        self.running.is_some()
    }
}

impl WizardPane {
    /// Runs dry where somebody sees it and the answers are others than the last time.
    pub(super) fn look_ahead(&mut self, cx: &Context) -> Vec<Effect> {
        let is_seen = match self.stage {
            Stage::Form => self.areas(cx, cx.area).1.is_some() && self.keep.is_opened(),
            Stage::Review => true,
            Stage::Run => false,
        };
        if !is_seen || self.ahead.running.is_some() {
            return Vec::new();
        }
        let answers = self.form.answers();
        if self.ahead.about.as_ref() == Some(&answers) {
            return Vec::new();
        }
        let (generation, effect) = Self::order(
            cx,
            TemplateOrder::Review { job: shared(self.job()), picked: shared(self.form.picked()) },
        );
        self.ahead.running = Some((generation, answers));
        vec![effect]
    }

    /// What would be run with the answers as they are.
    pub(super) fn job(&self) -> Job {
        Job {
            template: self.template.clone(),
            answers: self.form.answers(),
            secrets: self
                .form
                .secrets()
                .iter()
                .map(|(name, secret)| (name.clone(), Secret::new(secret.expose_secret())))
                .collect(),
            out: self.ahead.out.clone(),
            decisions: self.ahead.decisions.clone(),
        }
    }

    pub(super) fn reviewed(
        &mut self,
        generation: Generation,
        found: &Result<Shared<Reviewed>, String>,
        cx: &Context,
    ) -> Vec<Effect> {
        let Some((_, answers)) = self.ahead.running.take_if(|(asked, _)| *asked == generation) else {
            return Vec::new();
        };
        self.ahead.about = Some(answers);
        match found {
            Ok(found) => {
                self.ahead.tree = tree::lines(found.0.review.files.iter().map(|file| file.path.as_str()));
                self.ahead.found = Some(found.0.clone());
                self.ahead.failure = None;
            }
            Err(reason) => self.ahead.failure = Some(reason.clone()),
        }
        let effects = self.look_ahead(cx);
        if self.stage == Stage::Review {
            self.show_review(cx);
        }
        effects
    }

    /// Hands the facts of the review to a function.
    pub(super) fn with_review<T>(&self, take: impl FnOnce(&review::Facts<'_>) -> T) -> T {
        let pages = self.form.pages();
        let title = |page: usize| pages.get(page).map(|page| page.title.clone()).unwrap_or_default();
        let answers: Vec<review::Answer> = self
            .form
            .review()
            .into_iter()
            .map(|row| review::Answer {
                page: title(row.page),
                pointer: row.pointer,
                title: row.title,
                text: row.text,
            })
            .collect();
        let gaps = self.form.gaps().into_iter();
        let mut gaps: Vec<(String, String)> =
            gaps.map(|gap| (gap.pointer, format!("{}: {}", gap.title, gap.message))).collect();
        // what a picker has to find in the catalog is known only there
        let strays = self.ahead.found.iter().flat_map(|found| &found.strays);
        gaps.extend(strays.filter_map(|(pointer, entity)| {
            let field = self.form.field(pointer)?;
            let is_still = field.text.contains(entity.as_str());
            is_still.then(|| {
                (
                    pointer.clone(),
                    format!("{}: `{entity}` is not in the catalog, or does not fit", field.title),
                )
            })
        }));
        let create = self.create_label();
        take(&review::Facts {
            answers: &answers,
            gaps: &gaps,
            reviewed: self.ahead.found.as_ref(),
            failure: self.ahead.failure.as_deref(),
            is_running: self.ahead.is_running(),
            decisions: &self.ahead.decisions,
            out: self.ahead.out.as_deref(),
            create: &create,
        })
    }

    pub(super) fn show_review(&mut self, cx: &Context) {
        let mut page = std::mem::take(&mut self.review);
        self.with_review(|facts| page.take(cx, facts, Self::inner(cx.area)));
        self.review = page;
    }

    /// Shows the row that has the focus now.
    pub(super) fn show_review_row(&mut self, cx: &Context) {
        let mut page = std::mem::take(&mut self.review);
        self.with_review(|facts| page.show(facts, Self::inner(cx.area)));
        self.review = page;
    }

    pub(super) fn review_command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let area = Self::inner(cx.area);
        match command {
            commands::ENTER => return self.open_review_row(cx),
            commands::NEXT | commands::PREVIOUS => self.review.board.step_region(),
            commands::DOWN | commands::UP => {
                let command = if command == commands::DOWN {
                    crate::app::commands::id::DOWN
                } else {
                    crate::app::commands::id::UP
                };
                if self.review.board.command(command, area) {
                    self.show_review_row(cx);
                }
            }
            commands::ZOOM => {
                let is_zoomed = self.review.board.is_zoomed();
                self.review.board.zoom(!is_zoomed);
            }
            commands::CREATE => return self.ask_to_create(),
            commands::DECIDE => self.decide(cx),
            commands::COPY => {
                let text = self.review.board.detail.text();
                if !text.is_empty() {
                    return vec![Effect::Copy { what: self.review.board.title.clone(), text }];
                }
            }
            commands::REVIEW => return self.look_ahead(cx),
            command => {
                if self.review.board.command(command, area) {
                    self.show_review_row(cx);
                }
            }
        }
        Vec::new()
    }

    fn open_review_row(&mut self, cx: &Context) -> Vec<Effect> {
        match self.review.board.focused().cloned() {
            Some(review::Row::Gap(pointer) | review::Row::Answer(pointer)) => self.go_to(&pointer, cx),
            Some(review::Row::Create) => self.ask_to_create(),
            Some(review::Row::Folder) => {
                let text = vec![
                    "Folder for the files; nothing is published and registered then.".to_owned(),
                    "`-` goes back to what the template does.".to_owned(),
                ];
                vec![Effect::Show(Overlay::prompt("write into a folder", text, commands::OUT))]
            }
            Some(_) => {
                let is_zoomed = self.review.board.is_zoomed();
                self.review.board.zoom(!is_zoomed);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Takes the folder that was typed; the dry run says what would be there.
    pub(super) fn write_into(&mut self, typed: &str, cx: &Context) -> Vec<Effect> {
        let typed = typed.trim();
        self.ahead.out = match std::path::absolute(Path::new(typed)) {
            Ok(path) if typed != "-" && !typed.is_empty() => Some(path),
            _ => None,
        };
        self.ahead.about = None;
        let effects = self.look_ahead(cx);
        self.show_review(cx);
        effects
    }

    /// Goes on to the next decision about the focused file.
    fn decide(&mut self, cx: &Context) {
        let Some(review::Row::File(at)) = self.review.board.focused().cloned() else { return };
        let Some(found) = &self.ahead.found else { return };
        if !review::is_conflict(found, at) {
            return;
        }
        let Some(file) = found.review.files.get(at) else { return };
        let next = review::next_decision(self.ahead.decisions.of(&file.path));
        self.ahead.decisions.files.insert(file.path.clone(), next);
        self.show_review(cx);
    }

    /// Why nothing can be created now; empty when it can. Files to decide about are asked for in the dialog.
    fn why_not(&self) -> String {
        self.with_review(|facts| {
            let decided =
                Decisions { all: Some(crate::scaffolder::run::Decision::Keep), ..Decisions::default() };
            review::why_not(&review::Facts { decisions: &decided, ..*facts })
        })
    }

    fn ask_to_create(&self) -> Vec<Effect> {
        let why = self.why_not();
        if !why.is_empty() {
            return Self::toast(Level::Info, why);
        }
        let Some(found) = &self.ahead.found else { return Vec::new() };
        let review = &found.review;
        let mut text = vec![format!("{}: {}", self.template.title, review::file_words(found))];
        text.extend(review.folder.as_ref().map(|folder| format!("into {}", folder.display())));
        for (_, effect) in review.effects.iter().take(8) {
            let identity =
                if effect.identity.is_empty() { String::new() } else { format!(" as {}", effect.identity) };
            text.push(format!("{} {}{identity}", effect.what, effect.target));
        }
        if review.effects.len() > 8 {
            text.push(format!("and {} more side effects", review.effects.len() - 8));
        }
        let undecided = review::undecided(found, &self.ahead.decisions).len();
        if undecided > 0 {
            text.push(format!("{undecided} of the files are there already and differ"));
        }
        vec![Effect::Show(super::ask_create(&self.create_label(), text, undecided, false))]
    }

    pub(super) fn can_in_review(&self, command: CommandId) -> Availability {
        match command {
            commands::CREATE => match self.why_not() {
                why if why.is_empty() => Availability::Available,
                why => Availability::no(why),
            },
            commands::DECIDE => {
                let is_conflict = match (self.review.board.focused(), &self.ahead.found) {
                    (Some(review::Row::File(at)), Some(found)) => review::is_conflict(found, *at),
                    _ => false,
                };
                if is_conflict {
                    Availability::Available
                } else {
                    Availability::no("no file that is there already")
                }
            }
            commands::COPY | commands::ZOOM if self.review.board.detail.len() == 0 => {
                Availability::no("there is nothing to show of this row")
            }
            _ => Availability::Available,
        }
    }

    /// Returns whether a command can run on the page that is on screen.
    pub(super) fn can(&self, command: CommandId, _cx: &Context) -> Availability {
        let own = |stages: &[Stage]| stages.contains(&self.stage);
        let elsewhere = || Availability::no("not on this page");
        match command {
            commands::EDITOR | commands::ADD | commands::REMOVE | commands::ITEM_UP | commands::ITEM_DOWN
                if !own(&[Stage::Form]) =>
            {
                elsewhere()
            }
            commands::REVIEW | commands::START_OVER if own(&[Stage::Run]) => elsewhere(),
            commands::DECIDE if !own(&[Stage::Review]) => elsewhere(),
            commands::CREATE if !own(&[Stage::Form, Stage::Review]) => elsewhere(),
            commands::COPY | commands::ZOOM if own(&[Stage::Form]) => elsewhere(),
            commands::RETRY
            | commands::CHANGE
            | commands::CANCEL
            | commands::OPEN_FOLDER
            | commands::OPEN_ENTITY
            | commands::BROWSE
            | commands::FOLLOW
                if !own(&[Stage::Run]) =>
            {
                elsewhere()
            }
            command => match self.stage {
                Stage::Form => self.can_on_page(command),
                Stage::Review => self.can_in_review(command),
                Stage::Run => self.can_in_run(command),
            },
        }
    }

    /// Returns whether the run has ended, or none was started.
    pub(super) fn is_idle(&self) -> bool {
        self.running.as_ref().is_none_or(|running| has_ended(running.page.state.status))
    }
}
