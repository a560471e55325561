//! The wizard: from a template to something new, in pages, a review, and a run.
//!
//! [`WizardPane`] holds the form and what is known around it. Typing only edits; checks run on leaving a field
//! and never block going back. Drafts are kept after every change, a dry run follows the answers where there is
//! room to show its files, and nothing is done before `create`. Stages: `page` asks, `review` shows what would
//! be done, `run_page` what is done; `ahead` has the dry run and `keep` the draft.

mod ahead;
mod board;
mod commands;
mod fields;
mod keep;
mod page;
mod place;
mod review;
mod run_page;
mod running;
mod strip;
#[cfg(test)]
mod tests;
mod tree;
mod typing;
mod view;

use crate::app::Context;
use crate::app::commands::{Availability, CommandId, Group};
use crate::app::event::{Effect, Generation, Level, Shared, TaskEvent};
use crate::app::input::Key;
use crate::app::overlay::{Item, Overlay};
use crate::app::pane::{Heading, Input, Pane, PaneSpec};
use crate::app::place::{Place, WIZARD};
use crate::app::templates::{TemplateAnswer, TemplateOrder};
use crate::scaffolder::form::{Draft, Facts, Field, Form};
use crate::scaffolder::run::{Decision, RunStatus};
use crate::scaffolder::template::Base;
use crate::scaffolder::{Template, Value};
use ahead::Ahead;
use fields::PageLines;
use keep::Keep;
use place::Target;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use review::ReviewPage;
use running::Running;
use std::sync::Arc;
use typing::Typing;

/// Registration.
pub const SPEC: PaneSpec = PaneSpec {
    id: WIZARD,
    title: "New",
    help: "Make something from a template: `new rust-service`",
    aliases: &["new"],
    go: None,
    permission: Some(crate::permissions::CATALOG_READ),
    commands: commands::ROWS,
    groups: &[Group::Move],
    open: |argument, cx| {
        let target = Target::parse(argument, cx)?;
        WizardPane::open(target, cx).map(|pane| Box::new(pane) as Box<dyn Pane>)
    },
};

/// What is on screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// Questions.
    #[default]
    Form,
    /// What would be done.
    Review,
    /// What is done.
    Run,
}

/// State of the pane.
struct WizardPane {
    target: Target,
    template: Arc<Template>,
    /// Flags, hosts and who fills it in.
    facts: Facts,
    form: Form,
    stage: Stage,
    /// Page of the form, from 0.
    page: usize,
    /// Rows of the page as they are now.
    fields: Vec<Field>,
    /// The focused field.
    typing: Typing,
    lines: PageLines,
    /// The request for what is known beside the entity; answered once.
    opening: Option<Generation>,
    keep: Keep,
    ahead: Ahead,
    review: ReviewPage,
    running: Option<Running>,
    /// The entity to open as soon as the catalog has it.
    wanted: Option<String>,
    /// The text that is in the editor: its field and file.
    editing: Option<(String, Option<std::path::PathBuf>)>,
    /// The generation of what the editor is asked for.
    text_generation: Generation,
}

impl WizardPane {
    fn open(target: Target, cx: &Context) -> Result<Self, String> {
        let entity = cx.entity(&target.template);
        let entity = entity.ok_or_else(|| format!("there is no template `{}`", target.template))?;
        let template = Arc::new(Template::of(entity, Base::Unknown("not known yet".to_owned())));
        let facts = Facts { me: cx.me.principal.clone(), ..Facts::default() };
        let form = Form::new(template.clone(), &Value::UNDEFINED, facts.clone());
        let mut pane = Self {
            target,
            template,
            facts,
            form,
            stage: Stage::Form,
            page: 0,
            fields: Vec::new(),
            typing: Typing::default(),
            lines: PageLines::default(),
            opening: None,
            keep: Keep::default(),
            ahead: Ahead::default(),
            review: ReviewPage::default(),
            running: None,
            wanted: None,
            editing: None,
            text_generation: Generation::default(),
        };
        pane.fill_entity();
        pane.enter_page(0, true, cx);
        Ok(pane)
    }

    /// Asks once for what is known of the template beside its entity.
    fn ask(&mut self, cx: &Context) -> Vec<Effect> {
        if self.opening.is_some() {
            return Vec::new();
        }
        let generation = cx.next_generation();
        self.opening = Some(generation);
        let order =
            TemplateOrder::Open { template: self.target.template.clone(), run: self.target.run.clone() };
        vec![Effect::Templates { generation, order }]
    }

    fn order(cx: &Context, order: TemplateOrder) -> (Generation, Effect) {
        let generation = cx.next_generation();
        (generation, Effect::Templates { generation, order })
    }

    /// Takes an answer of background work.
    fn answer(&mut self, generation: Generation, answer: &TemplateAnswer, cx: &Context) -> Vec<Effect> {
        match answer {
            TemplateAnswer::Opened(opened) if self.opening == Some(generation) => self.opened(opened, cx),
            TemplateAnswer::Choices(found) if self.typing.generation == generation => {
                self.offered(found, cx);
                Vec::new()
            }
            TemplateAnswer::DraftKept(result) => self.draft_kept(generation, result, cx),
            TemplateAnswer::Reviewed(found) => self.reviewed(generation, found, cx),
            TemplateAnswer::Started(result) => self.started(generation, result, cx),
            TemplateAnswer::Advanced(state) => self.advanced(generation, &state.0, cx),
            TemplateAnswer::TextReady(path) if generation == self.text_generation => self.text_ready(path),
            TemplateAnswer::TextRead(text) if generation == self.text_generation => self.text_read(text, cx),
            _ => Vec::new(),
        }
    }

    /// Area below the line of steps.
    fn inner(area: Rect) -> Rect {
        let strip = 2.min(area.height / 4);
        Rect { y: area.y + strip, height: area.height - strip, ..area }
    }

    /// Areas of the fields and of the files beside them.
    fn areas(&self, cx: &Context, area: Rect) -> (Rect, Option<Rect>) {
        let inner = Self::inner(area);
        if self.stage != Stage::Form || area.width < view::SPLIT || cx.is_plain {
            return (inner, None);
        }
        let side = (area.width * 36 / 100).min(70);
        let fields = Rect { width: inner.width - side, ..inner };
        (fields, Some(Rect { x: fields.right(), width: side, ..inner }))
    }

    /// Makes everything on screen anew after something changed.
    fn refresh(&mut self, cx: &Context) {
        match self.stage {
            Stage::Form => self.lay_out(cx),
            Stage::Review => self.show_review(cx),
            Stage::Run => self.show_run(cx),
        }
    }

    fn command(&mut self, command: CommandId, cx: &Context) -> Vec<Effect> {
        match command {
            commands::START_OVER => return vec![Effect::Show(Self::ask_start_over())],
            commands::LEAVE => return vec![Effect::Run(crate::app::commands::id::HISTORY)],
            commands::SAVE => return self.save_answers(),
            _ => {}
        }
        match self.stage {
            Stage::Form => self.page_command(command, cx),
            Stage::Review => self.review_command(command, cx),
            Stage::Run => self.run_command(command, cx),
        }
    }

    fn choice(&mut self, command: CommandId, choice: &str, cx: &Context) -> Vec<Effect> {
        match command {
            commands::DRAFT => self.choose_draft(choice, cx),
            commands::START_OVER => self.start_over(cx),
            commands::KEY_NAME => self.add_item(Some(choice), cx),
            commands::REMOVE => self.remove_item(choice, cx),
            commands::OUT => self.write_into(choice, cx),
            commands::CREATE => self.create(choice, cx),
            commands::CANCEL => self.cancel_run(),
            _ => Vec::new(),
        }
    }

    fn save_answers(&mut self) -> Vec<Effect> {
        let name = crate::model::entity_ref::split_canonical(&self.target.template).2;
        vec![Effect::SaveText { name: format!("{name}-answers.yaml"), text: self.form.to_yaml() }]
    }

    fn ask_start_over() -> Overlay {
        let text = vec!["All answers of this form are forgotten, and its draft.".to_owned()];
        let yes = vec![Effect::Choose(commands::START_OVER, String::new())];
        Overlay::question("start over?", text, "start over", yes)
    }

    /// What the button is called that does it.
    fn create_label(&self) -> String {
        self.template.labels.create.clone().unwrap_or_else(|| "Create".to_owned())
    }

    fn toast(level: Level, text: impl Into<String>) -> Vec<Effect> {
        vec![Effect::Toast(level, text.into())]
    }

    /// Opens the entity that was waited for, once it is there.
    fn open_wanted(&mut self, cx: &Context) -> Vec<Effect> {
        let is_there = |entity: &String| cx.catalog.find(entity).is_some_and(|id| cx.catalog.is_entity(id));
        match self.wanted.take_if(|entity| is_there(entity)) {
            Some(entity) => vec![Effect::Open(Place::entity(entity))],
            None => Vec::new(),
        }
    }

    /// Takes over a template that changed in the catalog; the answers stay as far as they fit.
    fn follow_template(&mut self, cx: &Context) -> Vec<Effect> {
        let Some(entity) = cx.entity(&self.target.template) else { return Vec::new() };
        let base = self.template.base.clone();
        let template = Template::of(entity, base);
        if template.entity == self.template.entity || self.stage == Stage::Run {
            return Vec::new();
        }
        self.template = Arc::new(template);
        let draft = self.form.draft();
        self.restore(&draft);
        let pointer = std::mem::take(&mut self.typing.pointer);
        self.focus_or_first(&pointer);
        self.refresh(cx);
        Self::toast(Level::Info, "the template has changed; the answers were kept as far as they fit")
    }

    /// Takes a form up again, with what still fits of a draft; what does not is told above the fields.
    fn restore(&mut self, draft: &Draft) {
        let (form, notes) = Form::restore(self.template.clone(), draft, self.facts.clone());
        self.form = form;
        self.keep.note(notes);
        self.page = self.form.current();
        self.read_fields();
    }
}

/// Returns the overlay that asks what to do with files that are there.
fn ask_create(label: &str, text: Vec<String>, undecided: usize, is_protected: bool) -> Overlay {
    let choose = |choice: &str| vec![Effect::Choose(commands::CREATE, choice.to_owned())];
    let title = format!("{label}?");
    let mut overlay = if undecided == 0 {
        Overlay::question(title, text, &label.to_lowercase(), choose("yes"))
    } else {
        let items = vec![
            Item::new("no", Vec::new()).letter('n').detail("decide file by file"),
            Item::new(format!("{}, keep them", label.to_lowercase()), choose("keep")).letter('k'),
            Item::new(format!("{}, replace them", label.to_lowercase()), choose("replace")).letter('r'),
        ];
        let mut overlay = Overlay::menu(title, items);
        overlay.text = text;
        overlay
    };
    overlay.is_protected = is_protected;
    overlay
}

/// Reads the answer of [`ask_create`] about files that are there.
fn decision_of(choice: &str) -> Option<Decision> {
    match choice {
        "keep" => Some(Decision::Keep),
        "replace" => Some(Decision::Replace),
        _ => None,
    }
}

impl Pane for WizardPane {
    fn spec(&self) -> &'static PaneSpec {
        &SPEC
    }

    fn place(&self) -> Place {
        Place::with(SPEC.id, self.target.to_argument())
    }

    fn heading(&self, cx: &Context) -> Heading {
        self.title(cx)
    }

    fn groups(&self) -> &'static [Group] {
        // while fields are filled in, keys that move lists are the field's
        if self.stage == Stage::Form { &[] } else { self.spec().groups }
    }

    fn update(&mut self, input: Input<'_>, cx: &Context) -> Vec<Effect> {
        match input {
            Input::Shown => {
                let mut effects = self.ask(cx);
                effects.extend(self.follow_template(cx));
                effects.extend(self.open_wanted(cx));
                self.look_again_at_run(cx);
                effects.extend(self.look_up_again(cx));
                self.refresh(cx);
                effects.extend(self.look_ahead(cx));
                effects
            }
            Input::CatalogChanged => Vec::new(),
            Input::Command(command) => self.command(command, cx),
            Input::Choice(command, choice) => self.choice(command, choice, cx),
            Input::Paste(text) => self.paste(text, cx),
            Input::Mouse(mouse) => self.mouse(mouse, cx),
            Input::Task(TaskEvent::Template { generation, answer }) => self.answer(*generation, answer, cx),
            Input::Task(TaskEvent::EditorClosed) => self.editor_closed(cx),
            Input::Task(_) => Vec::new(),
        }
    }

    fn key(&mut self, key: Key, cx: &Context) -> Option<Vec<Effect>> {
        self.page_key(key, cx)
    }

    fn is_typing(&self) -> bool {
        self.stage == Stage::Form
    }

    fn is_form(&self) -> bool {
        self.stage == Stage::Form
    }

    fn step_back(&mut self, cx: &Context) -> Option<Vec<Effect>> {
        match self.stage {
            Stage::Form => Some(self.page_back(cx)),
            Stage::Review => {
                if self.review.board.is_zoomed() {
                    self.review.board.zoom(false);
                    return Some(Vec::new());
                }
                self.stage = Stage::Form;
                let page = self.form.pages().len().saturating_sub(1);
                Some(self.enter_page(page, true, cx))
            }
            Stage::Run => {
                let running = self.running.as_mut()?;
                let is_zoomed = running.page.board.is_zoomed();
                running.page.board.zoom(false);
                is_zoomed.then(Vec::new)
            }
        }
    }

    fn interrupt(&mut self, _cx: &Context) -> Option<Vec<Effect>> {
        self.ask_cancel()
    }

    fn availability(&self, command: CommandId, cx: &Context) -> Availability {
        self.can(command, cx)
    }

    fn view(&self, cx: &Context, area: Rect, buf: &mut Buffer) {
        self.draw(cx, area, buf);
    }
}

/// Returns whether a run has ended.
fn has_ended(status: RunStatus) -> bool {
    status != RunStatus::Processing
}

/// Wraps a value so that an effect can carry it.
fn shared<T>(value: T) -> Shared<T> {
    Shared(Arc::new(value))
}
