//! Carries out what the templates' panes ask for: choices, drafts, dry runs, runs.
//!
//! Start at [`Scaffold::perform`]; like everything of [`super::Services`] it blocks and is called on a pool
//! thread. Runs are kept here while they go on, so that leaving their place does not stop them.

use super::services::{Tell, World};
use crate::app::event::{Generation, Shared, TaskEvent};
use crate::app::templates::{KeptDraft, Opened, Reviewed, TemplateAnswer, TemplateOrder};
use crate::catalog::Catalog;
use crate::config::integration::HostType;
use crate::scaffolder::engine::{self, Run, drafts, history};
use crate::scaffolder::form::{self, Draft, Facts, Lookup};
use crate::scaffolder::open;
use crate::scaffolder::run::{Host, Job, RunStatus};
use crate::scaffolder::template::Base;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio_util::sync::CancellationToken;

/// Puts together what runs need from outside, for a snapshot and a person.
pub type MakeHost = dyn Fn(&World) -> Arc<Host> + std::marker::Send + Sync;

/// Takes the answers to one order.
type Send<'a> = dyn Fn(TaskEvent) + std::marker::Send + Sync + 'a;

/// Longest text that comes back from the editor, in bytes.
const MAX_TEXT: u64 = 1024 * 1024;

/// What the outside can do for templates.
pub struct Scaffold {
    host: Box<MakeHost>,
    /// Drafts, history and staging live here.
    state: PathBuf,
    /// Stops the dry run under way.
    reviewing: Mutex<CancellationToken>,
    /// Runs of this session by their template, while they go on.
    runs: Mutex<Vec<(String, Shared<Run>)>>,
    tell: OnceLock<Arc<Tell>>,
}

impl Scaffold {
    /// Creates it over a way to make hosts and the state folder.
    pub fn new(host: Box<MakeHost>, state: PathBuf) -> Self {
        Self { host, state, reviewing: Mutex::default(), runs: Mutex::default(), tell: OnceLock::new() }
    }

    /// Takes whoever is told of runs as they go on. Without one a run is waited for.
    pub fn start(&self, tell: &Arc<Tell>) {
        self.tell.get_or_init(|| tell.clone());
    }

    /// Carries out an order; blocks.
    pub fn perform(&self, generation: Generation, order: &TemplateOrder, world: &World, send: &Send<'_>) {
        let answer = match order {
            TemplateOrder::Open { template, run } => self.open(template, run.as_deref(), world),
            TemplateOrder::History => TemplateAnswer::History(shared(history::list(&self.state))),
            TemplateOrder::Suggest(lookup) => {
                let found = form::suggest(&lookup.0, &world.catalog, &world.me.principal);
                TemplateAnswer::Choices(Ok(shared(found)))
            }
            TemplateOrder::KeepDraft { template, draft, pointer } => {
                let kept = drafts::Draft {
                    template: template.clone(),
                    answers: draft.0.answers.clone(),
                    page: draft.0.page,
                    pointer: pointer.clone(),
                    form: draft.0.to_text(),
                    saved: jiff::Timestamp::now(),
                };
                let result = drafts::save(&self.state, &kept);
                TemplateAnswer::DraftKept(result.map_err(|error| error.to_string()))
            }
            TemplateOrder::ForgetDraft(template) => {
                if let Err(error) = drafts::remove(&self.state, template) {
                    send(TaskEvent::Failed(format!("could not forget the draft: {error}")));
                }
                return;
            }
            TemplateOrder::Review { job, picked } => self.review(&job.0, &picked.0, world),
            TemplateOrder::Start(job) => return self.run(generation, &job.0, world, send),
            TemplateOrder::Cancel(run) => return run.0.cancel(),
            TemplateOrder::Retry(run) => return self.retry(generation, run, send),
            TemplateOrder::WriteText { name, text } => TemplateAnswer::TextReady(write_text(name, text)),
            TemplateOrder::ReadText(path) => TemplateAnswer::TextRead(read_text(path)),
        };
        send(TaskEvent::Template { generation, answer });
    }

    fn open(&self, template: &str, run: Option<&str>, world: &World) -> TemplateAnswer {
        let entity = world.catalog.find(template).and_then(|id| world.catalog.entity(id));
        let base = match entity {
            Some(entity) => open::base_of(entity),
            None => Base::Unknown("the template is not in the catalog any more".to_owned()),
        };
        let run = run.map(|id| {
            let found = history::find(&self.state, id).filter(|past| past.template == template);
            found.map(shared).ok_or_else(|| format!("there is no run `{id}` of this template any more"))
        });
        let draft = drafts::load(&self.state, template);
        let draft = draft.map(|kept| {
            let known = || Draft { answers: kept.answers.clone(), page: kept.page, ..Draft::default() };
            let draft = Draft::parse(&kept.form).unwrap_or_else(known);
            shared(KeptDraft { draft, pointer: kept.pointer, saved: kept.saved })
        });
        let hosts = (self.host)(world).integrations.hosts();
        let hosts = hosts.into_iter().map(|(host, kind)| form::Host { host, kind: kind_of(kind) }).collect();
        let facts = Facts { hosts, ..Facts::default() };
        TemplateAnswer::Opened(Box::new(Opened { base, facts, draft, run, running: self.running(template) }))
    }

    /// Returns a run of a template that still goes on; forgets those that have ended.
    fn running(&self, template: &str) -> Option<Shared<Run>> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|(_, run)| run.0.state().status == RunStatus::Processing);
        runs.iter().find(|(of, _)| of == template).map(|(_, run)| run.clone())
    }

    fn review(&self, job: &Job, picked: &[(Lookup, Vec<String>)], world: &World) -> TemplateAnswer {
        let cancel = CancellationToken::new();
        let older = {
            let mut reviewing = self.reviewing.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *reviewing, cancel.clone())
        };
        older.cancel();
        let review = engine::review(job, &(self.host)(world), &cancel);
        if cancel.is_cancelled() {
            return TemplateAnswer::Reviewed(Err("a newer dry run took its place".to_owned()));
        }
        TemplateAnswer::Reviewed(Ok(shared(Reviewed::new(review, strays(picked, world)))))
    }

    fn run(&self, generation: Generation, job: &Job, world: &World, send: &Send<'_>) {
        let template = job.template.entity_ref.to_string();
        let told = self.tell.get().cloned();
        let tell = move |state| {
            if let Some(told) = &told {
                let answer = TemplateAnswer::Advanced(Shared(state));
                told(TaskEvent::Template { generation, answer });
            }
        };
        let run = shared(engine::start(job.clone(), (self.host)(world), tell));
        self.runs.lock().unwrap_or_else(PoisonError::into_inner).push((template, run.clone()));
        send(TaskEvent::Template { generation, answer: TemplateAnswer::Started(Ok(run.clone())) });
        self.wait_unless_told(generation, &run, send);
    }

    fn retry(&self, generation: Generation, run: &Shared<Run>, send: &Send<'_>) {
        if run.0.retry() {
            self.wait_unless_told(generation, run, send);
        } else {
            send(TaskEvent::Failed("there is nothing to take up again".to_owned()));
        }
    }

    /// Where nobody is told as it goes on, the end is all there is to tell.
    fn wait_unless_told(&self, generation: Generation, run: &Shared<Run>, send: &Send<'_>) {
        if self.tell.get().is_none() {
            let answer = TemplateAnswer::Advanced(Shared(run.0.wait()));
            send(TaskEvent::Template { generation, answer });
        }
    }
}

/// Returns the answers that have to be in the catalog and are not: pointer and ref.
fn strays(picked: &[(Lookup, Vec<String>)], world: &World) -> Vec<(String, String)> {
    let me = &world.me.principal;
    let is_stray = |lookup: &Lookup, entity: &str, catalog: &Catalog| {
        !entity.is_empty() && !form::is_candidate(lookup, entity, catalog, me)
    };
    let of = |(lookup, refs): &(Lookup, Vec<String>)| {
        let stray = refs.iter().filter(|entity| is_stray(lookup, entity, &world.catalog));
        stray.map(|entity| (lookup.pointer.clone(), entity.clone())).collect::<Vec<_>>()
    };
    picked.iter().flat_map(of).collect()
}

fn kind_of(kind: HostType) -> form::HostKind {
    match kind {
        HostType::Github => form::HostKind::GitHub,
        HostType::Gitlab => form::HostKind::GitLab,
        HostType::Gitea => form::HostKind::Gitea,
        HostType::BitbucketCloud => form::HostKind::BitbucketCloud,
        HostType::BitbucketServer => form::HostKind::BitbucketServer,
        HostType::Azure => form::HostKind::Azure,
        HostType::Gerrit => form::HostKind::Gerrit,
    }
}

/// Writes a text into a file of its own that only this user may read.
fn write_text(name: &str, text: &str) -> Result<PathBuf, String> {
    let plain: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').take(40).collect();
    let write = || {
        let mut file = tempfile::Builder::new().prefix(&format!("{plain}-")).suffix(".md").tempfile()?;
        file.write_all(text.as_bytes())?;
        file.flush()?;
        let (_, path) = file.keep()?;
        std::io::Result::Ok(path)
    };
    write().map_err(|error| format!("could not write a file for the editor: {error}"))
}

/// Reads what the editor left, and deletes the file.
fn read_text(path: &Path) -> Result<String, String> {
    let mut text = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(MAX_TEXT + 1).read_to_end(&mut text));
    let _ = std::fs::remove_file(path);
    read.map_err(|error| format!("could not read back what the editor wrote: {error}"))?;
    if text.len() as u64 > MAX_TEXT {
        return Err("the text is longer than 1 MB; nothing was taken over".to_owned());
    }
    String::from_utf8(text).map_err(|_| "what the editor wrote is no text in UTF-8".to_owned())
}

fn shared<T>(value: T) -> Shared<T> {
    Shared(Arc::new(value))
}
