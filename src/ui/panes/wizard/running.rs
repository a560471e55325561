//! The run that was started: its state as it is told, what can be done while it goes on and at its end.

use super::run_page::{Acts, Row, RunPage, entity, url};
use super::{Stage, WizardPane, commands, decision_of, has_ended, shared};
use crate::app::Context;
use crate::app::commands::{Availability, CommandId, id};
use crate::app::event::{Effect, Generation, Level, Shared};
use crate::app::input::{Mouse, MouseKind};
use crate::app::overlay::Overlay;
use crate::app::place::Place;
use crate::app::templates::TemplateOrder;
use crate::catalog::refresh::Order;
use crate::scaffolder::engine::Run;
use crate::scaffolder::run::{RunState, RunStatus};
use std::sync::Arc;

/// A run and how it is shown.
pub(super) struct Running {
    /// The request that started it.
    generation: Generation,
    /// The run, once it has begun.
    run: Option<Shared<Run>>,
    /// Why it did not begin.
    failure: Option<String>,
    /// How it is shown.
    pub page: RunPage,
}

impl WizardPane {
    /// Starts the run after the question was answered.
    pub(super) fn create(&mut self, choice: &str, cx: &Context) -> Vec<Effect> {
        if !self.is_idle() {
            return Vec::new();
        }
        self.ahead.decisions.all = decision_of(choice).or(self.ahead.decisions.all);
        let (generation, effect) = Self::order(cx, TemplateOrder::Start(shared(self.job())));
        self.stage = Stage::Run;
        self.running = Some(Running { generation, run: None, failure: None, page: RunPage::default() });
        self.show_run(cx);
        vec![effect]
    }

    /// Shows a run that goes on already.
    pub(super) fn attach(&mut self, run: &Shared<Run>, cx: &Context) -> Vec<Effect> {
        let generation = self.opening.unwrap_or_default();
        self.stage = Stage::Run;
        let running = Running { generation, run: Some(run.clone()), failure: None, page: RunPage::default() };
        self.running = Some(running);
        self.take_state(&run.0.state(), cx);
        Vec::new()
    }

    pub(super) fn started(
        &mut self,
        generation: Generation,
        result: &Result<Shared<Run>, String>,
        cx: &Context,
    ) -> Vec<Effect> {
        let Some(running) = self.running.as_mut().filter(|running| running.generation == generation) else {
            return Vec::new();
        };
        match result {
            Ok(run) => {
                running.run = Some(run.clone());
                let state = run.0.state();
                self.take_state(&state, cx);
                Vec::new()
            }
            Err(reason) => {
                running.failure = Some(reason.clone());
                self.stage = Stage::Review;
                self.show_review(cx);
                Self::toast(Level::Error, reason.clone())
            }
        }
    }

    pub(super) fn advanced(
        &mut self,
        generation: Generation,
        state: &Arc<RunState>,
        cx: &Context,
    ) -> Vec<Effect> {
        let is_own = self.running.as_ref().is_some_and(|running| {
            running.generation == generation || running.page.state.id == state.id && !state.id.is_empty()
        });
        if !is_own {
            return Vec::new();
        }
        let was_going = !self.is_idle();
        self.take_state(state, cx);
        if !(was_going && has_ended(state.status)) {
            return Vec::new();
        }
        match state.status {
            // what was made needs no draft; what failed may be tried again with it
            RunStatus::Completed => {
                let mut effects = vec![self.forget(cx), Effect::Sources(Order::RefreshAll)];
                effects.extend(Self::toast(Level::Ok, format!("{} is done", self.template.title)));
                effects
            }
            RunStatus::Failed => Self::toast(Level::Error, "the run failed; what exists already is listed"),
            RunStatus::Cancelled => Self::toast(Level::Info, "the run was stopped"),
            RunStatus::Processing => Vec::new(),
        }
    }

    /// A pane that was away missed what was told meanwhile.
    pub(super) fn look_again_at_run(&mut self, cx: &Context) {
        let state = self.running.as_ref().and_then(|running| running.run.as_ref()).map(|run| run.0.state());
        if let Some(state) = state {
            self.take_state(&state, cx);
        }
    }

    fn take_state(&mut self, state: &Arc<RunState>, cx: &Context) {
        let acts = Self::acts(state);
        let Some(running) = self.running.as_mut() else { return };
        running.page.take(state.clone(), cx, &acts, Self::inner(cx.area));
    }

    pub(super) fn show_run(&mut self, cx: &Context) {
        let state = self.running.as_ref().map(|running| running.page.state.clone());
        if let Some(state) = state {
            self.take_state(&state, cx);
        }
    }

    /// What can be done now, in rows of its own.
    fn acts(state: &RunState) -> Acts {
        match state.status {
            RunStatus::Processing => Vec::new(),
            RunStatus::Completed => {
                let mut acts = Vec::new();
                if let Some(entity) = entity(state, None) {
                    let name = crate::ui::entity_lines::short_ref(&entity);
                    acts.push((commands::OPEN_ENTITY, format!("open {name} in the catalog")));
                }
                if state.folder.is_some() {
                    acts.push((commands::OPEN_FOLDER, "open the folder in the editor".to_owned()));
                }
                acts.push((commands::LEAVE, "leave".to_owned()));
                acts
            }
            RunStatus::Failed | RunStatus::Cancelled => vec![
                (commands::RETRY, "go on from the step that did not succeed".to_owned()),
                (commands::CHANGE, "change answers".to_owned()),
                (commands::LEAVE, "leave; the draft stays".to_owned()),
            ],
        }
    }

    pub(super) fn run_command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        let area = Self::inner(cx.area);
        if let Some(effects) = self.run_act(command, cx) {
            return effects;
        }
        let Some(running) = self.running.as_mut() else { return Vec::new() };
        let board = &mut running.page.board;
        let has_moved = match command {
            commands::NEXT | commands::PREVIOUS => {
                board.step_region();
                false
            }
            commands::DOWN => board.command(id::DOWN, area),
            commands::UP => board.command(id::UP, area),
            commands::ZOOM => {
                let is_zoomed = board.is_zoomed();
                board.zoom(!is_zoomed);
                false
            }
            commands::FOLLOW => {
                board.is_following = true;
                true
            }
            command => board.command(command, area),
        };
        if has_moved {
            running.page.show(cx, area);
        }
        Vec::new()
    }

    /// Carries out what acts on the run; `None` for what only moves.
    fn run_act(&mut self, command: CommandId, cx: &Context) -> Option<Vec<Effect>> {
        let running = self.running.as_ref()?;
        let state = running.page.state.clone();
        let row = running.page.board.focused().cloned();
        Some(match command {
            commands::ENTER => return Some(self.open_run_row(row.as_ref(), cx)),
            commands::CANCEL => self.ask_cancel().unwrap_or_default(),
            commands::RETRY => {
                let run = running.run.clone()?;
                let mut job = self.job();
                job.answers = self.form.answers();
                vec![Self::order(cx, TemplateOrder::Retry(run)).1]
            }
            commands::CHANGE => {
                self.stage = Stage::Form;
                self.enter_page(0, true, cx)
            }
            commands::OPEN_FOLDER => {
                let folder = state.folder.as_ref()?;
                vec![Effect::Edit { path: folder.display().to_string(), line: 0, column: 0 }]
            }
            commands::OPEN_ENTITY => match entity(&state, row.as_ref()) {
                Some(entity) => self.open_entity(entity, cx),
                None => Vec::new(),
            },
            commands::BROWSE => {
                let url = row.as_ref().and_then(|row| url(&state, row));
                let url = url.or_else(|| (0..state.output.links.len()).find_map(|at| url_of(&state, at)));
                url.map(|url| vec![Effect::OpenUrl(url.to_owned())]).unwrap_or_default()
            }
            commands::COPY => {
                let board = &running.page.board;
                vec![Effect::Copy { what: board.title.clone(), text: board.detail.text() }]
            }
            _ => return None,
        })
    }

    fn open_run_row(&mut self, row: Option<&Row>, cx: &Context) -> Vec<Effect> {
        let Some(state) = self.running.as_ref().map(|running| running.page.state.clone()) else {
            return Vec::new();
        };
        match row {
            Some(Row::Act(commands::LEAVE)) => vec![Effect::Run(id::HISTORY)],
            Some(Row::Act(command)) => {
                // a row that opens the entity means that of the output
                if *command == commands::OPEN_ENTITY {
                    return entity(&state, None)
                        .map(|entity| self.open_entity(entity, cx))
                        .unwrap_or_default();
                }
                self.run_act(*command, cx).unwrap_or_default()
            }
            Some(row @ Row::Link(_)) => match (entity(&state, Some(row)), url(&state, row)) {
                (Some(entity), _) => self.open_entity(entity, cx),
                (None, Some(url)) => vec![Effect::OpenUrl(url.to_owned())],
                (None, None) => Self::toast(Level::Info, "this is no address that can be opened"),
            },
            Some(row @ Row::Exists(_)) => match url(&state, row) {
                Some(url) => vec![Effect::OpenUrl(url.to_owned())],
                None => Vec::new(),
            },
            Some(Row::Folder) => self.run_act(commands::OPEN_FOLDER, cx).unwrap_or_default(),
            Some(Row::Step(_) | Row::Text(_)) => {
                if let Some(running) = self.running.as_mut() {
                    let is_zoomed = running.page.board.is_zoomed();
                    running.page.board.zoom(!is_zoomed);
                }
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Opens an entity; one that the catalog does not have yet is waited for.
    fn open_entity(&mut self, entity: String, cx: &Context) -> Vec<Effect> {
        if cx.catalog.find(&entity).is_some_and(|id| cx.catalog.is_entity(id)) {
            return vec![Effect::Open(Place::entity(entity))];
        }
        let said = format!("reading the sources; `{entity}` opens when it is there");
        self.wanted = Some(entity);
        vec![Effect::Sources(Order::RefreshAll), Effect::Toast(Level::Info, said)]
    }

    /// Asks whether the run is to be stopped; `None` when none goes on.
    pub(super) fn ask_cancel(&self) -> Option<Vec<Effect>> {
        if self.is_idle() || self.stage != Stage::Run {
            return None;
        }
        let text = vec!["The step that runs is stopped; what exists by then stays and is listed.".to_owned()];
        let yes = vec![Effect::Choose(commands::CANCEL, String::new())];
        Some(vec![Effect::Show(Overlay::question("stop the run?", text, "stop", yes))])
    }

    pub(super) fn cancel_run(&mut self) -> Vec<Effect> {
        let run = self.running.as_ref().and_then(|running| running.run.clone());
        let generation = Generation::default();
        run.map(|run| vec![Effect::Templates { generation, order: TemplateOrder::Cancel(run) }])
            .unwrap_or_default()
    }

    pub(super) fn mouse(&mut self, mouse: Mouse, cx: &Context) -> Vec<Effect> {
        let area = Self::inner(cx.area);
        let is_double = mouse.kind == MouseKind::DoubleClick;
        match self.stage {
            Stage::Form => return self.mouse_on_page(mouse, cx),
            Stage::Review => {
                if self.review.board.mouse(mouse, cx, area) {
                    self.show_review_row(cx);
                }
            }
            Stage::Run => {
                if let Some(running) = self.running.as_mut()
                    && running.page.board.mouse(mouse, cx, area)
                {
                    running.page.show(cx, area);
                }
            }
        }
        if is_double { self.command(commands::ENTER, cx) } else { Vec::new() }
    }

    pub(super) fn can_in_run(&self, command: CommandId) -> Availability {
        let Some(running) = &self.running else { return Availability::no("there is no run") };
        let state = &running.page.state;
        let is_going = !has_ended(state.status);
        let row = running.page.board.focused();
        match command {
            commands::CANCEL if !is_going => Availability::no("the run has ended"),
            commands::RETRY | commands::CHANGE if is_going => Availability::no("the run goes on"),
            commands::RETRY | commands::CHANGE if state.status == RunStatus::Completed => {
                Availability::no("the run did everything")
            }
            commands::OPEN_FOLDER if state.folder.is_none() => Availability::no("no folder was made"),
            commands::OPEN_ENTITY if is_going || entity(state, row).is_none() => {
                Availability::no("no entity was made")
            }
            commands::BROWSE
                if row.and_then(|row| url(state, row)).is_none() && url_of(state, 0).is_none() =>
            {
                Availability::no("there is no link")
            }
            commands::COPY | commands::ZOOM if running.page.board.detail.len() == 0 => {
                Availability::no("there is nothing to show of this row")
            }
            _ => Availability::Available,
        }
    }
}

fn url_of(state: &RunState, link: usize) -> Option<&str> {
    url(state, &Row::Link(link))
}
