//! The commands that act on objects of clusters, the same in every pane: shell, port-forward, restart, scale, roll
//! back, drain, delete, suspend, trigger, and the lock of protected environments.
//!
//! Nothing is changed by a key: a command asks the cluster what the change would do (a plan), the plan becomes a
//! dialog that defaults to no, and only its answer is a change. What may be done is decided where it is done; the
//! screen only shows it. Start at [`App::object_command`].

use super::App;
use super::commands::{Availability, CommandId, id};
use super::context::Context;
use super::event::{Effect, Generation, Level};
use super::overlay::{Item, Mode, Overlay, OverlayKind};
use crate::kubernetes::change::{fits, verb};
use crate::kubernetes::cluster::Cluster;
use crate::kubernetes::kubectl::{Act, Kubectl};
use crate::kubernetes::object::{Facts, Role};
use crate::kubernetes::order::{Answer, Change, Order, Plan, Question, Revision};
use crate::kubernetes::select::{self, Scope};
use crate::kubernetes::{Kind, ObjectRef};
use crate::model::text::clean;
use jiff::Timestamp;
use std::sync::Arc;

/// The answer to a dialog; no key runs it.
const CONFIRM: CommandId = CommandId("object.confirm");

/// Lines of a plan or an output that a dialog shows.
const MAX_LINES: usize = 24;
/// Results of single targets that are listed.
const MAX_RESULTS: usize = 30;
/// Characters of a line in a dialog.
const MAX_WIDTH: usize = 160;

/// Questions on their way, and what their answers are for.
#[derive(Debug, Default)]
pub struct Acts {
    waiting: Vec<(Generation, Waiting)>,
    /// What the prompt on screen is about.
    targets: Vec<ObjectRef>,
    container: Option<Arc<str>>,
    change: Option<(Change, String)>,
}

/// What an answer is for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Waiting {
    Plan,
    Change,
    Revisions(ObjectRef),
    Output(String),
}

impl App {
    /// Returns the objects that commands act on: the marked ones, else the focused one.
    fn objects(&self) -> Vec<ObjectRef> {
        self.subjects().into_iter().filter_map(|subject| subject.object).collect()
    }

    /// Returns the object that a shell is opened in: the focused one, or the first running pod of an entity.
    fn shell_target(&self) -> Option<ObjectRef> {
        let subject = self.subjects().into_iter().next()?;
        if let Some(object) = subject.object {
            return has_pods(object.kind).then_some(object);
        }
        let scope = Scope::Entity(subject.entity?);
        let found = select::objects(&self.cx.kubernetes, &self.cx.catalog, &scope, &[Kind::Pod]);
        let is_ready = |facts: &Facts| match facts {
            Facts::Pod(pod) => {
                pod.containers.iter().all(|one| one.role != Role::Main || one.ready == Some(true))
            }
            _ => false,
        };
        let ready = found.iter().find(|found| is_ready(&found.object.facts));
        ready.or(found.first()).map(select::Found::at)
    }

    /// Returns whether a command for objects can run; `None` when it is none.
    pub(super) fn object_availability(&self, command: CommandId) -> Option<Availability> {
        if command == id::UNLOCK {
            let is_any = !protected(&self.cx).is_empty();
            let reason = "no environment is protected";
            return Some(if is_any { Availability::Available } else { Availability::no(reason) });
        }
        if !super::commands::OBJECT.iter().any(|row| row.id == command) {
            return None;
        }
        if matches!(command, id::SHELL | id::RUN_COMMAND) {
            let is_there = self.shell_target().is_some();
            let reason = "it has no pod to run a command in";
            return Some(if is_there { Availability::Available } else { Availability::no(reason) });
        }
        let objects = self.objects();
        let Some(first) = objects.first() else {
            return Some(Availability::no("this is no object of a cluster"));
        };
        let reason = match change_of(command) {
            Some(change) => {
                let other = objects.iter().find(|at| !fits(&change, at.kind));
                other.map(|at| {
                    let word = self.cx.kubernetes.kind_word(at.kind);
                    format!("a {word} cannot be {}", participle(&change))
                })
            }
            None if command == id::FORWARD && !can_forward(first.kind) => {
                Some("only pods, services and workloads have ports".to_owned())
            }
            None => None,
        };
        Some(reason.map_or(Availability::Available, Availability::Disabled))
    }

    /// Carries out a command for objects; `None` when it is none.
    pub(super) fn object_command(&mut self, command: CommandId) -> Option<Vec<Effect>> {
        if command == id::UNLOCK {
            return Some(vec![Effect::Show(unlock_menu(&self.cx))]);
        }
        if !super::commands::OBJECT.iter().any(|row| row.id == command) {
            return None;
        }
        self.acts.targets = self.objects();
        self.acts.container = self.subjects().first().and_then(|subject| subject.container.clone());
        let first = self.acts.targets.first().cloned();
        Some(match (command, first) {
            (id::SHELL, _) => self.shell(),
            (id::RUN_COMMAND, _) => {
                self.acts.targets = self.shell_target().into_iter().collect();
                vec![prompt(
                    "run which command?",
                    &["it runs in the container; quotes hold words together"],
                    command,
                )]
            }
            (_, None) => Vec::new(),
            (id::FORWARD, Some(at)) => vec![Effect::Show(forward_menu(&self.cx, &at))],
            (id::SCALE, Some(at)) => {
                let text = format!("{}: a number of pods", scale_now(&self.cx, &at));
                vec![prompt("scale to how many pods?", &[&text], command)]
            }
            (id::ROLL_BACK, Some(at)) if self.acts.targets.len() == 1 => {
                let waiting = Waiting::Revisions(at.clone());
                self.ask_for_dialog("roll back?".to_owned(), waiting, Question::Revisions(at))
            }
            (id::KUBECTL, Some(at)) => {
                vec![Effect::Show(kubectl_menu(&self.cx, &at, self.acts.container.as_ref()))]
            }
            (command, Some(_)) => match change_of(command) {
                Some(change) => self.plan(change),
                None => Vec::new(),
            },
        })
    }

    fn shell(&mut self) -> Vec<Effect> {
        let Some(pod) = self.shell_target() else { return Vec::new() };
        let container = self.acts.container.clone();
        let open = |container| Effect::Shell { pod: pod.clone(), container, command: Vec::new() };
        let names = containers(&self.cx, &pod);
        if container.is_some() || names.len() < 2 {
            return vec![open(container)];
        }
        let items = names.into_iter().map(|(name, image)| {
            Item::new(name.to_string(), vec![open(Some(name))]).detail(clean(&image).into_owned())
        });
        vec![Effect::Show(Overlay::menu("shell in which container?", items.collect()))]
    }

    /// Takes a line typed into a prompt of a command for objects; `None` when it is none of them.
    pub(super) fn object_choice(&mut self, command: CommandId, line: &str) -> Option<Vec<Effect>> {
        let line = line.trim();
        Some(match command {
            id::SCALE => match line.parse::<u32>() {
                Ok(count) => self.plan(Change::Scale(count)),
                Err(_) => {
                    vec![Effect::Toast(Level::Error, format!("`{}` is no number of pods", clean(line)))]
                }
            },
            id::ROLL_BACK => match line.parse::<u64>() {
                Ok(number) => self.plan(Change::RollBack(Some(number))),
                Err(_) => Vec::new(),
            },
            id::FORWARD => match (read_ports(line), self.acts.targets.first().cloned()) {
                (Some((local, remote)), Some(target)) => {
                    vec![Effect::Kubernetes(Order::Forward { target, local, remote })]
                }
                _ => {
                    let said =
                        format!("`{}` is no port: write 8080 or LOCAL:REMOTE, as 9090:8080", clean(line));
                    vec![Effect::Toast(Level::Error, said)]
                }
            },
            id::RUN_COMMAND => {
                let Some(pod) = self.acts.targets.first().cloned() else { return Some(Vec::new()) };
                let words = split_words(line);
                let container = self.acts.container.clone();
                let question = Question::Run { pod, container, command: words };
                let mut effects = vec![Effect::Toast(Level::Info, format!("running {}", clean(line)))];
                effects.push(self.ask(Waiting::Output(line.to_owned()), question));
                effects
            }
            id::DELETE => match self.acts.change.take() {
                Some((change, name)) if name == line => self.make(change),
                Some((_, name)) => {
                    let said = format!("nothing was deleted: `{}` is not `{}`", clean(line), clean(&name));
                    vec![Effect::Toast(Level::Error, said)]
                }
                None => Vec::new(),
            },
            CONFIRM => self.acts.change.take().map(|(change, _)| self.make(change)).unwrap_or_default(),
            id::UNLOCK => self.unlock(line),
            _ => return None,
        })
    }

    fn unlock(&mut self, environment: &str) -> Vec<Effect> {
        let known = protected(&self.cx);
        let Some(environment) = known.iter().find(|name| ***name == *environment).cloned() else {
            let names: Vec<&str> = known.iter().map(|name| &**name).collect();
            let hint = match names.as_slice() {
                [] => "none is protected".to_owned(),
                names => format!("protected are {}", names.join(", ")),
            };
            return vec![Effect::Toast(
                Level::Error,
                format!("`{}` is no protected environment; {hint}", clean(environment)),
            )];
        };
        let is_unlocked = !self.cx.kubernetes.unlocked.iter().any(|(name, _)| *name == environment);
        let said = if is_unlocked {
            format!("`{environment}` is unlocked for 15 minutes; `:unlock {environment}` again locks it")
        } else {
            format!("`{environment}` is locked again")
        };
        vec![Effect::Kubernetes(Order::Unlock { environment, is_unlocked }), Effect::Toast(Level::Info, said)]
    }

    fn ask(&mut self, waiting: Waiting, question: Question) -> Effect {
        let generation = self.cx.next_generation();
        self.acts.waiting.push((generation, waiting));
        Effect::AskCluster { generation, question }
    }

    /// Asks what a dialog is made of; until it is there, a box says so and takes the keys.
    fn ask_for_dialog(&mut self, title: String, waiting: Waiting, question: Question) -> Vec<Effect> {
        let ask = self.ask(waiting, question);
        let mut overlay = Overlay::menu(title, vec![Item::new("cancel", Vec::new()).letter('n')]);
        overlay.text.push("asking the cluster …".to_owned());
        if let Effect::AskCluster { generation, .. } = &ask {
            overlay.generation = *generation;
        }
        vec![Effect::Show(overlay), ask]
    }

    fn plan(&mut self, change: Change) -> Vec<Effect> {
        let targets = self.acts.targets.clone();
        let title = format!("{}?", verb(&change));
        self.ask_for_dialog(title, Waiting::Plan, Question::Plan { change, targets })
    }

    fn make(&mut self, change: Change) -> Vec<Effect> {
        let targets = std::mem::take(&mut self.acts.targets);
        let patience = if change == Change::Drain { ", as disruption budgets allow" } else { "" };
        let said = format!("{} {}{patience} …", verb(&change), counted(targets.len(), "object"));
        vec![
            Effect::Toast(Level::Info, said),
            self.ask(Waiting::Change, Question::Change { change, targets }),
        ]
    }

    /// Takes the answer to a question of a command for objects; `None` when it was asked by somebody else.
    pub(super) fn object_answer(
        &mut self,
        generation: Generation,
        result: &Result<Answer, String>,
    ) -> Option<Vec<Effect>> {
        let at = self.acts.waiting.iter().position(|(asked, _)| *asked == generation)?;
        let (_, waiting) = self.acts.waiting.remove(at);
        if matches!(waiting, Waiting::Plan | Waiting::Revisions(_)) {
            // whoever left the box does not want the dialog any more
            if self.overlays.last().is_none_or(|overlay| overlay.generation != generation) {
                return Some(Vec::new());
            }
            self.overlays.pop();
        }
        let answer = match result {
            Ok(answer) => answer,
            Err(why) => return Some(vec![Effect::Toast(Level::Error, why.clone())]),
        };
        Some(match (waiting, answer) {
            (Waiting::Plan, Answer::Plan(plan)) => {
                self.acts.targets.clone_from(&plan.targets);
                let name = plan.must_type.clone().unwrap_or_default();
                self.acts.change = plan.refused.is_none().then(|| (plan.change.clone(), name));
                vec![Effect::Show(dialog(&self.cx, plan))]
            }
            (Waiting::Change, Answer::Changed(results)) => told(&self.cx, results),
            (Waiting::Revisions(at), Answer::Revisions(revisions)) => {
                vec![Effect::Show(revisions_menu(&at, revisions, self.cx.now))]
            }
            (Waiting::Output(command), Answer::Text(text)) => vec![Effect::Show(output(&command, text))],
            _ => Vec::new(),
        })
    }
}

/// Returns the change that a command makes, with a number that stands for all.
fn change_of(command: CommandId) -> Option<Change> {
    Some(match command {
        id::RESTART => Change::Restart,
        id::SCALE => Change::Scale(1),
        id::ROLL_BACK => Change::RollBack(None),
        id::DRAIN => Change::Drain,
        id::HOLD => Change::Suspend(true),
        id::RESUME => Change::Suspend(false),
        id::TRIGGER => Change::Trigger,
        id::DELETE => Change::Delete,
        _ => return None,
    })
}

fn participle(change: &Change) -> &'static str {
    match change {
        Change::Restart => "restarted",
        Change::Scale(_) => "scaled",
        Change::RollBack(_) => "rolled back",
        Change::Delete => "deleted",
        Change::Drain => "drained",
        Change::Suspend(true) => "suspended",
        Change::Suspend(false) => "resumed",
        Change::Trigger => "triggered",
    }
}

fn has_pods(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::Deployment
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::Job
            | Kind::Service
    )
}

fn can_forward(kind: Kind) -> bool {
    has_pods(kind) && kind != Kind::Job
}

fn prompt(title: &str, text: &[&str], command: CommandId) -> Effect {
    let text = text.iter().map(|line| shown(line)).collect();
    Effect::Show(Overlay::prompt(title, text, command))
}

fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// Returns a line as a dialog shows it.
fn shown(line: &str) -> String {
    let line = clean(line);
    match line.char_indices().nth(MAX_WIDTH) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line.into_owned(),
    }
}

fn cluster_of<'a>(cx: &'a Context, at: &ObjectRef) -> Option<&'a Cluster> {
    cx.kubernetes.cluster(&at.cluster).map(|state| &*state.cluster)
}

/// Returns the names of all protected environments, each once.
fn protected(cx: &Context) -> Vec<Arc<str>> {
    let clusters = cx.kubernetes.clusters.iter().map(|state| &state.cluster);
    let mut names: Vec<Arc<str>> =
        clusters.filter(|cluster| cluster.is_protected).map(|cluster| cluster.lock().clone()).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn unlock_menu(cx: &Context) -> Overlay {
    let items = protected(cx).into_iter().map(|name| {
        let until = cx.kubernetes.unlocked.iter().find(|(other, _)| *other == name);
        let detail = match until {
            Some((_, until)) => format!("unlocked, {} left; locks it again", left(*until, cx.now)),
            None => "protected; lifts that for 15 minutes".to_owned(),
        };
        Item::new(name.to_string(), vec![Effect::Choose(id::UNLOCK, name.to_string())]).detail(detail)
    });
    Overlay::menu("unlock which environment?", items.collect())
}

/// Returns the time that is left: `14m`.
pub fn left(until: Timestamp, now: Timestamp) -> String {
    let seconds = (until.as_second() - now.as_second()).max(0);
    format!("{}m", (seconds + 59) / 60)
}

/// Returns the dialog for a plan: what happens, the same with kubectl, no first.
fn dialog(cx: &Context, plan: &Plan) -> Overlay {
    let mut text: Vec<String> = plan.says.iter().take(MAX_LINES).map(|line| shown(line)).collect();
    let cluster = plan.targets.first().and_then(|at| cluster_of(cx, at));
    if let Some(cluster) = cluster.filter(|cluster| !cluster.environment.is_empty()) {
        text.push(format!("environment {}", shown(&cluster.environment)));
    }
    if !plan.kubectl.is_empty() {
        text.push(String::new());
        text.extend(plan.kubectl.iter().take(MAX_LINES / 2).map(|line| shown(line)));
        if plan.kubectl.len() > MAX_LINES / 2 {
            text.push(format!("and {} more", plan.kubectl.len() - MAX_LINES / 2));
        }
    }
    let copy = || Effect::Copy { what: "kubectl commands".to_owned(), text: plan.kubectl.join("\n") };
    let title = format!("{}?", verb(&plan.change));
    if let (None, Some(name)) = (&plan.refused, &plan.must_type) {
        text.push(String::new());
        text.push(format!("type {} and enter to go on; esc leaves", shown(name)));
        let mut overlay = Overlay::prompt(title, text, id::DELETE);
        overlay.is_protected = true;
        overlay.colour = cluster.and_then(|cluster| cluster.colour);
        return overlay;
    }
    let mut items = vec![Item::new("no", Vec::new()).letter('n')];
    let yes = format!("{} {}", verb(&plan.change), counted(plan.targets.len(), "object"));
    items.push(Item {
        disabled: plan.refused.clone(),
        ..Item::new(yes, vec![Effect::Choose(CONFIRM, String::new())]).letter('y')
    });
    if !plan.kubectl.is_empty() {
        items.push(Item::new("copy the kubectl commands", vec![copy()]).letter('c'));
    }
    if let Some(why) = &plan.refused {
        text.push(String::new());
        text.push(shown(why));
        let is_locked = |cluster: &&Cluster| {
            cluster.is_protected && !cx.kubernetes.unlocked.iter().any(|(name, _)| name == cluster.lock())
        };
        if let Some(cluster) = cluster.filter(is_locked) {
            let name = cluster.lock().to_string();
            let unlock =
                Item::new(format!("unlock {name} for 15 minutes"), vec![Effect::Choose(id::UNLOCK, name)]);
            items.push(unlock.letter('u'));
        }
    }
    let mut overlay = Overlay::new(OverlayKind::Question, title, Mode::Letters, items);
    overlay.text = text;
    overlay.is_protected = cluster.is_some_and(|cluster| cluster.is_protected);
    overlay.colour = cluster.and_then(|cluster| cluster.colour);
    overlay
}

/// Tells what was done: one sentence, or a list where something failed.
fn told(cx: &Context, results: &[(ObjectRef, Result<String, String>)]) -> Vec<Effect> {
    let failed = results.iter().filter(|(_, result)| result.is_err()).count();
    let effects = |level, text: String| vec![Effect::Toast(level, text)];
    match results {
        [] => Vec::new(),
        [(_, Ok(said))] => effects(Level::Ok, said.clone()),
        [(_, Err(why))] => effects(Level::Error, why.clone()),
        [(_, Ok(said)), ..] if failed == 0 => {
            effects(Level::Ok, format!("{said} and {} more", results.len() - 1))
        }
        results => {
            let line = |(at, result): &(ObjectRef, Result<String, String>)| match result {
                Ok(said) => format!("done    {said}"),
                Err(why) => format!("failed  {}: {why}", cx.kubernetes.ref_text(at)),
            };
            let whole: Vec<String> = results.iter().map(line).collect();
            let copy = Effect::Copy { what: "results".to_owned(), text: whole.join("\n") };
            let items =
                vec![Item::new("close", Vec::new()).letter('n'), Item::new("copy", vec![copy]).letter('c')];
            let title = format!("{failed} of {} failed", results.len());
            let mut overlay = Overlay::menu(title.clone(), items);
            // what failed first
            let (bad, good): (Vec<_>, Vec<_>) = results.iter().partition(|(_, result)| result.is_err());
            overlay.text =
                bad.into_iter().chain(good).take(MAX_RESULTS).map(|result| shown(&line(result))).collect();
            vec![Effect::Toast(Level::Error, title), Effect::Show(overlay)]
        }
    }
}

fn revisions_menu(at: &ObjectRef, revisions: &[Revision], now: Timestamp) -> Overlay {
    let items = revisions.iter().map(|revision| {
        let age = revision.created.map(|created| super::context::age(now.as_second() - created.as_second()));
        let cause = if revision.cause.is_empty() { String::new() } else { format!("  {}", revision.cause) };
        let images = revision.images.join(", ");
        let detail = format!("{}  {images}  {} pods{cause}", age.unwrap_or_default(), revision.pods);
        let number = revision.number.to_string();
        Item {
            disabled: revision.is_current.then(|| "this one runs".to_owned()),
            ..Item::new(format!("revision {number}"), vec![Effect::Choose(id::ROLL_BACK, number)])
                .detail(shown(&detail))
        }
    });
    Overlay::menu(format!("roll {} back to which revision?", shown(&at.name)), items.collect())
}

/// Returns the dialog with the output of a command: its end, since that is where the result stands.
fn output(command: &str, text: &Arc<str>) -> Overlay {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(MAX_LINES);
    let copy = Effect::Copy { what: "output".to_owned(), text: text.to_string() };
    let save = Effect::SaveText { name: "output.txt".to_owned(), text: text.to_string() };
    let items = vec![
        Item::new("close", Vec::new()).letter('n'),
        Item::new("copy", vec![copy]).letter('c'),
        Item::new("save", vec![save]).letter('s').detail("all of it, into a file here"),
    ];
    let mut overlay = Overlay::menu(shown(command), items);
    if skipped > 0 {
        overlay.text.push(format!("… {skipped} lines before"));
    }
    overlay.text.extend(lines.into_iter().skip(skipped).map(shown));
    if overlay.text.is_empty() {
        overlay.text.push("it wrote nothing".to_owned());
    }
    overlay
}

fn scale_now(cx: &Context, at: &ObjectRef) -> String {
    let now = match cx.kubernetes.object(at).map(|object| &object.facts) {
        Some(Facts::Workload(workload)) => workload.desired,
        _ => None,
    };
    now.map_or_else(|| at.name.to_string(), |now| format!("{} wants {now} now", at.name))
}

/// Returns the ordinary containers of a pod with their images.
fn containers(cx: &Context, pod: &ObjectRef) -> Vec<(Arc<str>, Arc<str>)> {
    match cx.kubernetes.object(pod).map(|object| &object.facts) {
        Some(Facts::Pod(pod)) => {
            let is_running = |one: &&crate::kubernetes::object::Container| one.role != Role::Init;
            pod.containers
                .iter()
                .filter(is_running)
                .map(|one| (one.name.clone(), one.image.clone()))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the ports that an object is known to have, with their names.
fn ports(cx: &Context, at: &ObjectRef) -> Vec<(u16, String)> {
    match cx.kubernetes.object(at).map(|object| &object.facts) {
        Some(Facts::Pod(pod)) => {
            let ports = pod.containers.iter().flat_map(|one| one.ports.iter().map(move |port| (one, port)));
            ports.map(|(one, (port, name))| (*port, format!("{} {name}", one.name))).collect()
        }
        Some(Facts::Service(service)) => {
            let read = |text: &str| {
                let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
                Some((digits.parse().ok()?, text.to_owned()))
            };
            service.ports.iter().filter_map(|text| read(text)).collect()
        }
        _ => Vec::new(),
    }
}

fn forward_menu(cx: &Context, at: &ObjectRef) -> Overlay {
    let mut items: Vec<Item> = ports(cx, at)
        .into_iter()
        .take(20)
        .map(|(remote, name)| {
            // the same number here, where no administrator is needed for it
            let local = if remote >= 1024 { remote } else { 0 };
            let here = if local == 0 { "any free port".to_owned() } else { format!("localhost:{local}") };
            let order = Order::Forward { target: at.clone(), local, remote };
            Item::new(format!("{remote}"), vec![Effect::Kubernetes(order)])
                .detail(shown(&format!("{name}, from {here}")))
        })
        .collect();
    let text = vec!["8080, or LOCAL:REMOTE; 0 as the local one means any".to_owned()];
    let other = Overlay::prompt("forward which port?", text, id::FORWARD);
    if items.is_empty() {
        return other;
    }
    items.push(Item::new("another port …", vec![Effect::Show(other)]).letter('o'));
    Overlay::menu(format!("forward which port of {}?", shown(&at.name)), items)
}

/// Reads `8080` or `9090:8080`; the local port is the same where none is given.
fn read_ports(line: &str) -> Option<(u16, u16)> {
    let (local, remote) = match line.split_once(':') {
        Some((local, remote)) => {
            let local = if local.trim().is_empty() { 0 } else { local.trim().parse().ok()? };
            (local, remote.trim().parse().ok()?)
        }
        None => {
            let remote: u16 = line.trim().parse().ok()?;
            (if remote >= 1024 { remote } else { 0 }, remote)
        }
    };
    (remote != 0).then_some((local, remote))
}

/// Splits a command line at spaces; single and double quotes hold words together, as in a shell without variables.
pub fn split_words(line: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (Some(open), close) if open == close => quote = None,
            (None, letter) if letter.is_whitespace() => words.extend(word.take()),
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(letters.next()),
            (_, letter) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// Returns what can be said to kubectl about an object, ready to be copied.
pub(super) fn kubectl_lines(
    cx: &Context,
    at: &ObjectRef,
    container: Option<&Arc<str>>,
) -> Vec<(&'static str, String)> {
    let Some(cluster) = cluster_of(cx, at) else { return Vec::new() };
    let kubectl = Kubectl::new(cluster);
    let word = cx.kubernetes.kind_word(at.kind);
    let container = container.cloned();
    let mut acts = vec![
        ("get", Act::Get),
        ("describe", Act::Describe),
        ("YAML", Act::Yaml),
        ("events", Act::Events),
        ("list", Act::List),
    ];
    if has_pods(at.kind) {
        acts.push(("logs", Act::Logs { container: container.clone(), is_previous: false }));
        acts.push(("previous logs", Act::Logs { container: container.clone(), is_previous: true }));
        acts.push(("shell", Act::Exec { container, command: Vec::new() }));
    }
    if let Some((port, _)) = ports(cx, at).first().filter(|_| can_forward(at.kind)) {
        acts.push(("port-forward", Act::Forward { local: 0, remote: *port }));
    }
    let changes = [
        (Change::Restart, "restart", Act::Restart),
        (Change::Scale(1), "scale", Act::Scale(scale_of(cx, at))),
        (Change::RollBack(None), "roll back", Act::RollBack(None)),
        (Change::Suspend(true), "suspend", Act::Suspend(true)),
        (Change::Trigger, "trigger", Act::Trigger { job: format!("{}-manual", at.name) }),
        (Change::Delete, "delete", Act::Delete),
    ];
    if fits(&Change::RollBack(None), at.kind) {
        acts.push(("rollout history", Act::Revisions));
    }
    acts.extend(
        changes.into_iter().filter(|(change, ..)| fits(change, at.kind)).map(|(_, name, act)| (name, act)),
    );
    acts.into_iter().map(|(name, act)| (name, kubectl.line(&word, at, &act))).collect()
}

fn scale_of(cx: &Context, at: &ObjectRef) -> u32 {
    match cx.kubernetes.object(at).map(|object| &object.facts) {
        Some(Facts::Workload(workload)) => {
            workload.desired.and_then(|count| u32::try_from(count).ok()).unwrap_or(1)
        }
        _ => 1,
    }
}

fn kubectl_menu(cx: &Context, at: &ObjectRef, container: Option<&Arc<str>>) -> Overlay {
    let items = kubectl_lines(cx, at, container).into_iter().map(|(name, line)| {
        let detail = shown(&line);
        Item::new(name, vec![Effect::Copy { what: format!("kubectl {name}"), text: line }]).detail(detail)
    });
    Overlay::menu("copy which kubectl command?", items.collect())
}

#[cfg(test)]
mod tests;
