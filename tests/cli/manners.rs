//! How the program behaves among others: pipes, colours, exit codes, the commands about itself.

use crate::run::{Machine, shop};
use insta::assert_snapshot;
use std::process::{Command, Stdio};

#[test]
fn the_screen_needs_a_terminal() {
    let machine = Machine::new();
    assert_snapshot!("no_terminal", machine.run(&[]));
    assert_eq!(machine.run(&["open", "catalog"]).code, 2);
}

#[test]
fn an_unknown_command_offers_the_near_one() {
    assert_snapshot!(Machine::new().run(&["valdate"]));
}

#[test]
fn help_names_every_command() {
    assert_snapshot!(Machine::new().run(&["-h"]));
}

#[test]
fn version_for_people_and_scripts() {
    let machine = Machine::new();
    assert!(machine.run(&["version"]).stdout.starts_with("devportal [VERSION] ("));
    let json: serde_json::Value =
        serde_json::from_str(&machine.run(&["version", "-o", "json"]).stdout).unwrap();
    assert_eq!(json["name"], "devportal");
}

#[test]
fn a_closed_pipe_ends_silently() {
    let machine = shop();
    for arguments in ["get -o json", "keys", "man", "completion zsh", "--help", "validate ."] {
        let script = format!("\"$0\" {arguments} | true; echo \"${{PIPESTATUS[0]}}\"");
        let output = Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_devportal")])
            .current_dir(machine.path(""))
            .env("HOME", machine.home(""))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!stderr.contains("panic") && !stderr.contains("roken pipe"), "{arguments}: {stderr}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "0", "{arguments}: {stderr}");
    }
}

#[test]
fn colour_only_where_it_is_wanted() {
    let machine = shop();
    let has_colour = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = machine.command(&[arguments, &["get"]].concat());
        command.envs(variables.iter().copied());
        machine.outcome(&mut command).stdout.contains('\u{1b}')
    };
    assert!(!has_colour(&[], &[]), "a pipe is no terminal");
    assert!(has_colour(&["--color", "always"], &[]));
    assert!(has_colour(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!has_colour(&[], &[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")]));
    assert!(has_colour(&["--color", "always"], &[("NO_COLOR", "1")]), "the flag wins");
    assert!(!has_colour(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
}

#[test]
fn quiet_leaves_the_data_alone() {
    let outcome = shop().run(&["-q", "get", "systems", "-o", "name"]);
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("system:default/shop\n", ""));
}

#[cfg(unix)]
#[test]
fn an_interrupt_exits_130() {
    let machine = shop();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/catalog-info.yaml", listener.local_addr().unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_devportal"))
        .args(["--catalog", &url, "get"])
        .env("HOME", machine.home(""))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It connects only after the handler is in place
    listener.set_nonblocking(true).unwrap();
    let _connection = loop {
        if let Ok(connection) = listener.accept() {
            break connection;
        }
        assert!(child.try_wait().unwrap().is_none(), "it ended before it connected");
        std::thread::yield_now();
    };
    let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(kill.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn doctor_says_cause_and_fix() {
    let machine = shop();
    let run = |form: &[&str]| {
        let mut command = machine.command(&[&["doctor"], form].concat());
        command.env("EDITOR", "no-such-editor -w");
        machine.outcome(&mut command)
    };
    let outcome = run(&[]);
    assert_eq!(outcome.code, 8, "the editor is missing");
    let stable =
        outcome.stdout.lines().filter(|line| !line.contains("libgit2")).collect::<Vec<_>>().join("\n");
    assert_snapshot!(stable);
    let json: serde_json::Value = serde_json::from_str(&run(&["-o", "json"]).stdout).unwrap();
    assert!(
        json.as_array().unwrap().iter().any(|check| check["check"] == "editor" && check["state"] == "fail")
    );
}

#[test]
fn doctor_asks_every_source() {
    let machine = shop();
    let settings = r#"
[[catalog.source]]
type = "http"
name = "files"
url = "http://127.0.0.1:9/x.yaml"
branch = "main"
token = { command = ["echo", "pw123"] }

[[catalog.source]]
type = "backstage"
name = "portal"
url = "http://127.0.0.1:9"
token = { env = "NO_SUCH_TOKEN" }
"#;
    machine.settings("config.toml", settings);
    let outcome = machine.run(&["doctor"]);
    let text = outcome.stdout;
    for part in [
        "source files: http at http://127.0.0.1:9/x.yaml: ",
        "refused",
        "token found in the command `echo`; nothing is kept of it; read again every 10m",
        "the type `http` does not use `branch`",
        "source portal: backstage at http://127.0.0.1:9: the environment variable `NO_SUCH_TOKEN` is not set",
    ] {
        assert!(text.contains(part), "{part}:\n{text}");
    }
    assert!(!text.contains("pw123"), "{text}");
    assert_eq!(outcome.code, 8);
}

#[test]
fn a_report_is_redacted() {
    let machine = shop();
    machine.settings(
        "config.toml",
        "user = \"ana.ruiz\"\ncatalog.source = [\"https://ana:pw123@example.invalid/x.yaml\"]\n",
    );
    let outcome = machine.run(&["--offline", "doctor", "--report", "report.txt"]);
    let report = std::fs::read_to_string(machine.path("report.txt")).unwrap();
    assert!(!report.contains("pw123") && !outcome.stdout.contains("pw123"), "{report}\n{}", outcome.stdout);
    assert!(!report.contains(&machine.home("").display().to_string()), "{report}");
}

#[test]
fn keys_come_from_the_table_and_the_users_file() {
    let machine = Machine::new();
    machine.settings("keys.toml", "[keys]\n\"list.filter\" = [\"f5\"]\nlist.fliter = \"x\"\n");
    let outcome = machine.run(&["keys", "-o", "json"]);
    let rows: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    let filter = rows.as_array().unwrap().iter().find(|row| row["action"] == "list.filter").unwrap();
    assert_eq!(filter["keys"], serde_json::json!(["f5"]));
    assert!(outcome.stderr.contains("`list.filter`"), "{}", outcome.stderr);
    assert!(machine.run(&["keys", "-o", "md"]).stdout.contains("| `/` | `list.filter` |"));
}

#[test]
fn themes_are_listed_and_shown() {
    let machine = Machine::new();
    assert_snapshot!("themes", machine.run(&["theme", "list"]));
    assert_eq!(machine.run(&["theme", "show", "dark"]).code, 0);
    assert_eq!(machine.run(&["theme", "show", "drak"]).code, 3);
}

#[test]
fn completion_scripts_and_their_values() {
    let machine = shop();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let outcome = machine.run(&["completion", shell]);
        assert!(outcome.code == 0 && outcome.stdout.contains("devportal"), "{shell}");
    }
    let values = machine.run(&["-q", "__complete", "entities", "comp"]).stdout;
    assert_eq!(values, "comp\ncomponent\ncomponent:checkout\ncomponent:storefront\ncomponents\n");
}

#[test]
fn the_manual_names_every_command() {
    let page = Machine::new().run(&["man"]).stdout;
    for name in ["get", "describe", "graph", "validate", "doctor", "screenshot"] {
        assert!(page.contains(&format!("DEVPORTAL {}", name.to_uppercase())), "{name}");
    }
}

#[test]
fn a_screenshot_needs_no_terminal() {
    let machine = shop();
    let text =
        machine.run(&["-q", "screenshot", "catalog", "--size", "80x24", "--keys", "/store<enter>"]).stdout;
    assert_eq!(text.lines().count(), 24);
    assert!(text.contains("storefront") && !text.contains("ledger-db"), "{text}");
    let svg = machine.run(&["screenshot", "-o", "svg"]).stdout;
    assert!(svg.starts_with("<svg"), "{svg}");
    assert_eq!(machine.run(&["screenshot", "--size", "0x5"]).code, 2);
    assert_eq!(machine.run(&["screenshot", "--keys", "<nokey>"]).code, 2);
    assert_eq!(machine.run(&["screenshot", "--theme", "none"]).code, 3);
}
