//! Whole runs over small templates.

use super::{Run, review, start};
use crate::catalog::Catalog;
use crate::config::secret::Secret;
use crate::net::{Net, NetOptions};
use crate::permissions::Principal;
use crate::scaffolder::action::{Action, ActionError, SideEffect, Spec, Workbench};
use crate::scaffolder::actions::{Input, Registry};
use crate::scaffolder::open::open_file;
use crate::scaffolder::run::{Decisions, Host, Job, Review, RunState, RunStatus, StepStatus};
use crate::scaffolder::{Template, Value};
use minijinja::value::Serde;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Publishes to nowhere: fails as often as it is told to, and remembers inputs.
struct Outside {
    spec: Spec,
    fails: AtomicUsize,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Action for Outside {
    fn spec(&self) -> &Spec {
        &self.spec
    }

    fn effects(&self, input: &Value, _: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
        let target = Input(input).text("name").unwrap_or_default();
        Ok(vec![SideEffect { what: "create".into(), target, identity: "tester".into(), details: vec![] }])
    }

    fn run(&self, input: &Value, bench: &mut dyn Workbench) -> Result<Value, ActionError> {
        let name = Input(input).text("name").unwrap_or_default();
        self.seen.lock().unwrap().push(name.clone());
        bench.log(&format!("making {name}"));
        let left = self.fails.load(Ordering::Relaxed);
        if left > 0 {
            self.fails.store(left - 1, Ordering::Relaxed);
            return Err(ActionError::new(format!("could not make {name}")));
        }
        Ok(Value::from_pairs([("url", format!("https://x/{name}"))]))
    }
}

struct Lab {
    folder: TempDir,
    registry: Registry,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Lab {
    fn new(steps: &str) -> Self {
        Self::failing(steps, 0)
    }

    fn failing(steps: &str, fails: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("kind: Template\nmetadata: {{name: t}}\nspec:\n{steps}");
        std::fs::write(folder.path().join("template.yaml"), text).unwrap();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let mut registry = Registry::built_in();
        let object = |json| Value::from(Serde(json));
        let spec = Spec {
            id: "test:outside".into(),
            description: String::new(),
            input: object(json!({"type": "object", "required": ["name"], "additionalProperties": false,
                "properties": {"name": {"type": "string"}}})),
            output: object(json!({"type": "object", "properties": {"url": {"type": "string"}}})),
            runs_dry: false,
        };
        registry.add(Arc::new(Outside { spec, fails: AtomicUsize::new(fails), seen: seen.clone() }));
        Self { folder, registry, seen }
    }

    fn file(self, path: &str, text: &str) -> Self {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn host(&self) -> Arc<Host> {
        Arc::new(Host {
            catalog: Arc::new(Catalog::default()),
            loader: Arc::new(crate::catalog::Loader::new(Vec::new(), crate::catalog::LoadOptions::default())),
            net: Arc::new(Net::new(NetOptions { offline: true, ..NetOptions::default() })),
            principal: Principal { user: Some("user:default/ana".into()), groups: vec![] },
            integrations: Arc::default(),
            cache: self.folder.path().join("cache"),
            state: self.folder.path().join("state"),
            actions: self.registry.clone(),
            trusted: vec![],
            config_file: self.folder.path().join("config.toml"),
        })
    }

    fn template(&self) -> Arc<Template> {
        Arc::new(open_file(&self.folder.path().join("template.yaml")).unwrap())
    }

    fn job(&self, answers: serde_json::Value) -> Job {
        Job {
            template: self.template(),
            answers: Value::from(Serde(answers)),
            secrets: [("token".to_owned(), Secret::new("s3cr3t-value"))].into(),
            out: None,
            decisions: Decisions::default(),
        }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn run(&self, answers: serde_json::Value) -> Arc<RunState> {
        start(self.job(answers), self.host(), |_| ()).wait()
    }

    fn run_to_out(&self, answers: serde_json::Value) -> Arc<RunState> {
        let job = Job { out: Some(self.out()), ..self.job(answers) };
        start(job, self.host(), |_| ()).wait()
    }

    fn review(&self, answers: serde_json::Value) -> Review {
        review(&self.job(answers), &self.host(), &CancellationToken::new())
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

fn statuses(state: &RunState) -> Vec<StepStatus> {
    state.steps.iter().map(|step| step.status).collect()
}

fn log_of(state: &RunState, index: usize) -> String {
    state.steps[index].log.iter().map(|line| format!("{line}\n")).collect()
}

use StepStatus::{Cancelled, Completed, Failed, Planned, Skipped, Unknown};

#[test]
fn a_skeleton_goes_to_a_folder_and_publishing_is_left_out() {
    let steps = "
  steps:
    - {id: fetch, action: fetch:template, input: {url: ./skeleton, values: {name: '${{ parameters.name }}'}}}
    - {id: publish, action: test:outside, input: {name: '${{ parameters.name }}'}}
    - {id: register, action: catalog:register, input: {catalogInfoUrl: 'https://x/y'}}
  output:
    links: [{title: Repo, url: '${{ steps.publish.output.url }}'}]
    text: [{content: 'made ${{ parameters.name }}'}]
";
    let lab = Lab::new(steps).file("skeleton/${{ values.name }}/a.txt", "hello ${{ values.name }}\n");
    let state = lab.run_to_out(json!({"name": "x"}));
    assert_eq!(state.error, "");
    assert_eq!(state.status, RunStatus::Completed, "{state:?}");
    assert_eq!(statuses(&state), [Completed, Skipped, Skipped]);
    assert!(state.steps[1].error.contains("left out"));
    assert_eq!(std::fs::read_to_string(lab.out().join("x/a.txt")).unwrap(), "hello x\n");
    assert!(lab.seen().is_empty());
    assert_eq!(state.files[0].path, "x/a.txt");
    assert_eq!(state.files[0].sha256, super::runner::sha256(b"hello x\n"));
    assert_eq!(state.output.texts[0].content, "made x");
    let beside: Vec<_> = std::fs::read_dir(lab.folder.path())
        .unwrap()
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with(".devportal"))
        .collect();
    assert!(beside.is_empty(), "{beside:?}");
}

#[test]
fn rounds_have_their_condition_and_their_outputs_become_lists() {
    let steps = "
  steps:
    - id: each
      action: test:outside
      each: ['a', 'b', 'c']
      if: ${{ each.value !== 'b' }}
      input: {name: '${{ each.key }}-${{ each.value }}'}
    - id: map
      action: test:outside
      each: {k: 1}
      input: {name: '${{ each.key }}${{ each.value }}'}
  output:
    urls: ${{ steps.each.output.url }}
    one: ${{ steps.map.output.url[0] }}
";
    let lab = Lab::new(steps);
    let state = lab.run(json!({}));
    assert_eq!(lab.seen(), ["0-a", "2-c", "k1"]);
    let output = serde_json::to_value(&state.output.value).unwrap();
    assert_eq!(output, json!({"urls": ["https://x/0-a", "https://x/2-c"], "one": "https://x/k1"}));
    assert!(log_of(&state, 0).contains(r#"Running step each: {"key":"0","value":"a"}"#));
    assert!(log_of(&state, 0).contains(r#"Skipping step each: {"key":"1","value":"b"}"#));
    assert_eq!(state.exists.len(), 3);
}

#[test]
fn all_inputs_are_checked_before_the_first_round() {
    let steps = "
  steps:
    - {id: s, action: test:outside, each: ['a', 1], input: {name: '${{ each.value }}'}}
";
    let lab = Lab::new(steps);
    let state = lab.run(json!({}));
    assert_eq!(state.status, RunStatus::Failed);
    let expected = "Invalid input passed to action test:outside[1], instance.name is not of a type(s) string";
    assert_eq!(state.steps[0].error, expected);
    assert!(lab.seen().is_empty());
}

#[test]
fn each_wants_a_list_or_an_object() {
    for (each, expected) in [
        ("'${{ parameters.none }}'", "cannot be resolved to a value"),
        ("'text'", "must resolve to an array or object"),
        ("3", "must resolve to an array or object"),
    ] {
        let lab = Lab::new(&format!(
            "\n  steps:\n    - {{action: test:outside, each: {each}, input: {{name: x}}}}\n"
        ));
        let state = lab.run(json!({}));
        assert!(state.steps[0].error.contains(expected), "{each}: {:?}", state.steps[0].error);
    }
}

#[test]
fn after_a_failure_only_steps_that_ask_for_it_run() {
    let steps = "
  steps:
    - {id: bad, action: test:outside, input: {name: bad}}
    - {id: next, action: test:outside, input: {name: next}}
    - {id: usual, action: test:outside, if: '${{ true }}', input: {name: usual}}
    - {id: always, action: test:outside, if: '${{ always() }}', input: {name: always}}
    - {id: failure, action: test:outside, if: '${{ failure() }}', input: {name: failure}}
    - {id: both, action: test:outside, if: '${{ failure() and false }}', input: {name: both}}
";
    let lab = Lab::failing(steps, 1);
    let state = lab.run(json!({}));
    assert_eq!(statuses(&state), [Failed, Skipped, Skipped, Completed, Completed, Skipped]);
    assert_eq!(state.status, RunStatus::Failed);
    assert_eq!(lab.seen(), ["bad", "always", "failure"]);
    let fine = Lab::new(steps);
    assert_eq!(
        statuses(&fine.run(json!({}))),
        [Completed, Completed, Completed, Completed, Skipped, Skipped]
    );
}

#[test]
fn a_step_may_fail_without_stopping_the_run() {
    let steps = "
  steps:
    - {id: bad, action: test:outside, continueOnFailure: true, input: {name: bad}}
    - {id: next, action: test:outside, input: {name: next}}
";
    let lab = Lab::failing(steps, 1);
    let state = lab.run(json!({}));
    assert_eq!((state.status, statuses(&state)), (RunStatus::Completed, vec![Failed, Completed]));
}

#[test]
fn a_failed_run_is_taken_up_again_where_it_stopped() {
    let steps = "
  steps:
    - {id: a, action: test:outside, input: {name: a}}
    - {id: b, action: test:outside, input: {name: 'b of ${{ steps.a.output.url }}'}}
    - {id: c, action: test:outside, input: {name: c}}
";
    let lab = Lab::failing(steps, 0);
    let run: Run = start(lab.job(json!({})), lab.host(), |_| ());
    assert_eq!(run.wait().status, RunStatus::Completed);
    assert!(!run.retry());
    let steps = steps
        .replace("id: a, action: test:outside", "id: a, action: debug:log")
        .replace("{name: a}", "{message: a}");
    let lab = Lab::failing(&steps, 1);
    let run = start(lab.job(json!({})), lab.host(), |_| ());
    assert_eq!(statuses(&run.wait()), [Completed, Failed, Skipped]);
    assert!(run.retry());
    let state = run.wait();
    assert_eq!(
        (state.status, statuses(&state)),
        (RunStatus::Completed, vec![Completed, Completed, Completed])
    );
    assert_eq!(lab.seen(), ["b of ", "b of ", "c"]);
    assert_eq!(state.steps[0].log.iter().filter(|line| &***line == "a").count(), 1);
}

#[test]
fn secrets_are_in_inputs_alone_and_masked_everywhere() {
    let steps = "
  steps:
    - {id: log, action: debug:log, input: {message: 'x ${{ secrets.token }} ${{ secrets.token | upper }}'}}
    - {id: cond, action: test:outside, if: '${{ secrets.token }}', input: {name: cond}}
    - {id: bad, action: test:outside, input: {name: 'p-${{ secrets.token }}'}}
  output: {leak: '${{ secrets.token }}'}
";
    let lab = Lab::failing(steps, 1);
    let state = lab.run(json!({"name": "x"}));
    assert_eq!(statuses(&state), [Completed, Skipped, Failed]);
    assert_eq!(lab.seen(), ["p-s3cr3t-value"]);
    let all = format!("{state:?}");
    assert!(!all.contains("s3cr3t") && !all.contains("S3CR3T"), "{all}");
    assert!(state.steps[2].error.contains("***"));
    let kept = super::history::list(&lab.folder.path().join("state"));
    assert_eq!(kept.len(), 1);
    let text = serde_json::to_string(&kept).unwrap();
    assert!(!text.contains("s3cr3t") && text.contains("\"failed\""), "{text}");
}

#[test]
fn an_unknown_action_stops_a_run_before_it_starts_and_is_marked_in_a_dry_one() {
    let steps = "
  steps:
    - {id: a, action: test:outside, input: {name: a}}
    - {id: b, action: fetch:tempalte, input: {url: x}}
    - {id: c, action: debug:log, input: {message: 'c ${{ steps.a.output.url }}'}}
";
    let lab = Lab::new(steps);
    let state = lab.run(json!({}));
    assert_eq!(state.status, RunStatus::Failed);
    assert!(state.error.contains("`fetch:tempalte`"), "{}", state.error);
    assert!(state.hint.contains("`fetch:template`"), "{}", state.hint);
    assert!(lab.seen().is_empty());
    let review = lab.review(json!({}));
    let found: Vec<_> = review.steps.iter().map(|step| step.status).collect();
    assert_eq!(found, [Planned, Unknown, Completed]);
    assert!(review.warnings.iter().any(|warning| warning.contains("fetch:tempalte")));
    assert!(review.steps[2].log.iter().any(|line| line.contains("c <example>")));
    assert!(lab.seen().is_empty());
    assert_eq!(review.effects[0].1.target, "a");
    assert!(!lab.folder.path().join("state").exists(), "a dry run writes nothing");
}

#[test]
fn a_review_compares_with_what_is_there() {
    let steps = "
  steps:
    - {id: f, action: fetch:plain, input: {url: ./skeleton}}
";
    let lab = Lab::new(steps)
        .file("skeleton/a", "new")
        .file("skeleton/b", "same")
        .file("out/a", "old")
        .file("out/b", "same");
    let job = Job { out: Some(lab.out()), ..lab.job(json!({})) };
    let found = review(&job, &lab.host(), &CancellationToken::new());
    let before: Vec<_> = found.files.iter().map(|file| file.before.as_deref().map(<[u8]>::to_vec)).collect();
    assert_eq!(before, [Some(b"old".to_vec()), Some(b"same".to_vec())]);
    assert_eq!(found.undecided, ["a"]);
    let state = lab.run_to_out(json!({}));
    assert!(state.error.contains("`a` is there"), "{}", state.error);
    assert_eq!(std::fs::read_to_string(lab.out().join("a")).unwrap(), "old");
}

#[test]
fn a_run_can_be_stopped() {
    let steps = "
  steps:
    - {id: wait, action: debug:wait, input: {minutes: 5}}
    - {id: next, action: test:outside, input: {name: next}}
";
    let lab = Lab::new(steps);
    let run = start(lab.job(json!({})), lab.host(), |_| ());
    run.cancel();
    let state = run.wait();
    assert_eq!((state.status, statuses(&state)), (RunStatus::Cancelled, vec![Cancelled, Cancelled]));
    assert!(lab.seen().is_empty());
}

#[test]
fn hostile_paths_are_refused_with_their_place() {
    let cases = [
        ("fetch:plain, input: {url: ../other}", "leads outside"),
        ("fetch:plain, input: {url: ./skeleton, targetPath: ../../x}", "leads outside"),
        ("fetch:template, input: {url: ./skeleton, values: {n: '../../evil'}}", "leads out"),
        ("fs:delete, input: {files: ['../../*']}", "leads outside"),
        ("fs:rename, input: {files: [{from: a, to: ../a}]}", "leads outside"),
        ("fs:readdir, input: {paths: [/etc]}", "leads outside"),
        ("catalog:write, input: {entity: {}, filePath: ../x}", "leads outside"),
        ("fetch:plain:file, input: {url: ./link, targetPath: a}", "leads outside"),
    ];
    for (step, expected) in cases {
        let lab = Lab::new(&format!("\n  steps:\n    - {{action: {step}}}\n"))
            .file("skeleton/${{ values.n }}", "x");
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", lab.folder.path().join("link")).unwrap();
        let state = lab.run(json!({}));
        assert!(state.steps[0].error.contains(expected), "{step}: {:?}", state.steps[0]);
    }
}

#[test]
fn a_panic_of_an_action_fails_its_step() {
    struct Broken(Spec);
    impl Action for Broken {
        fn spec(&self) -> &Spec {
            &self.0
        }
        fn effects(&self, _: &Value, _: &dyn Workbench) -> Result<Vec<SideEffect>, ActionError> {
            Ok(vec![])
        }
        fn run(&self, _: &Value, _: &mut dyn Workbench) -> Result<Value, ActionError> {
            panic!("on purpose")
        }
    }
    let mut lab = Lab::new("\n  steps:\n    - {action: test:broken}\n");
    lab.registry.add(Arc::new(Broken(Spec {
        id: "test:broken".into(),
        description: String::new(),
        input: Value::UNDEFINED,
        output: Value::UNDEFINED,
        runs_dry: true,
    })));
    let state = lab.run(json!({}));
    assert_eq!((state.status, statuses(&state)), (RunStatus::Failed, vec![Failed]));
}

#[test]
fn the_user_is_known_to_steps() {
    let steps = "
  steps:
    - {action: debug:log, input: {message: 'by ${{ user.ref }} ${{ user.entity.metadata.name }}.'}}
";
    let lab = Lab::new(steps);
    assert!(log_of(&lab.run(json!({})), 0).contains("by user:default/ana ."));
    assert!(Path::new(&lab.out()).symlink_metadata().is_err());
}
