//! What a user does, from start to shell.

use crate::terminal::Terminal;

#[test]
fn finds_opens_walks_and_comes_back() {
    let mut terminal = Terminal::start(&[], 120, 40);
    terminal.wait_for("Home");
    terminal.send("2");
    terminal.wait_for("Catalog");
    terminal.wait_for("NAME");
    terminal.send("/payment-gate");
    terminal.wait_for("/payment-gate_");
    terminal.send("\r");
    terminal.wait_gone("/payment-gate_");
    terminal.send("\r");
    terminal.wait_for("Overview");
    terminal.wait_for("payment-gateway");
    terminal.send("]");
    terminal.wait_for("Relations");
    terminal.send("\u{1b}");
    terminal.wait_for("NAME");
    terminal.send("q");
    terminal.wait_for("Home");
    terminal.send("q");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_whole();
}

#[test]
fn palette_goes_anywhere_and_help_tells_the_keys() {
    let mut terminal = Terminal::start(&[], 120, 40);
    terminal.wait_for("Home");
    terminal.send(":checkout-api\r");
    terminal.wait_for("Overview");
    terminal.send("?");
    terminal.wait_for("help: ");
    terminal.send("next tab");
    terminal.wait_for("Next tab");
    terminal.send("\u{1b}");
    terminal.wait_gone("help: ");
    terminal.send(":catalog kind:api\r");
    terminal.wait_for("/kind:api");
    terminal.send(":q\r");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_whole();
}

#[test]
fn copies_through_the_terminal() {
    let mut terminal = Terminal::start_with(
        &["open", "catalog", "payment-gateway-api"],
        100,
        30,
        &[("SSH_TTY", "/dev/pts/0")],
    );
    terminal.wait_for("api grpc");
    terminal.send("y");
    terminal.wait_for("copied name");
    assert!(terminal.raw().contains("\u{1b}]52;c;"), "no OSC 52 in the output");
    terminal.send("q");
    terminal.wait_for("Home");
    terminal.send("q");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[test]
fn keeps_its_place_through_any_size() {
    let mut terminal = Terminal::start(&["open", "catalog"], 120, 40);
    terminal.wait_for("NAME");
    terminal.send("/payment-gateway\r");
    terminal.wait_for("/payment-gateway");
    terminal.resize(40, 10);
    terminal
        .wait_until("the small screen", |screen| !screen.contains('┌') && screen.contains("payment-gateway"));
    terminal.resize(120, 40);
    terminal.wait_for("OWNER");
    terminal.wait_for("/payment-gateway");
    terminal.send(":q\r");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_whole();
}

#[test]
fn ctrl_c_twice_leaves() {
    let mut terminal = Terminal::start(&[], 80, 24);
    terminal.wait_for("Home");
    terminal.send("\u{3}");
    terminal.wait_for("ctrl-c again quits");
    terminal.send("\u{3}");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_whole();
}

#[test]
fn a_signal_leaves_the_shell_whole() {
    let mut terminal = Terminal::start(&[], 80, 24);
    terminal.wait_for("Home");
    terminal.signal("TERM");
    assert_eq!(terminal.wait_for_end(), 130);
    terminal.assert_whole();
}

#[test]
fn a_panic_leaves_the_shell_whole_and_a_report() {
    let mut terminal = Terminal::start_with(&[], 80, 24, &[("DEVPORTAL_PANIC", "1")]);
    assert_ne!(terminal.wait_for_end(), 0);
    terminal.assert_whole();
    terminal.wait_for("devportal crashed");
}

#[test]
fn stops_and_continues_as_the_shell_asks() {
    let mut terminal = Terminal::shell(80, 24);
    terminal.send(&format!("{} open catalog\r", env!("CARGO_BIN_EXE_devportal")));
    terminal.wait_for("NAME");
    terminal.send("\u{1a}");
    terminal.wait_for("Stopped");
    terminal.assert_whole();
    terminal.send("fg\r");
    terminal.wait_for("NAME");
    terminal.send(":q\r");
    terminal.wait_gone("NAME");
    terminal.assert_whole();
    terminal.send("clear; stty -a | tr ';' ' '\r");
    terminal.wait_for(" icanon ");
    terminal.wait_for(" echo ");
    terminal.send("exit\r");
    terminal.wait_for_end();
}

#[test]
fn the_editor_opens_at_the_line_and_gives_the_screen_back() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = folder.path().join("catalog-info.yaml");
    std::fs::write(
        &descriptor,
        "# a comment\napiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata: {name: shop}\nspec: {type: service, lifecycle: production, owner: nobody}\n",
    )
    .unwrap();
    let editor = folder.path().join("vim");
    let log = folder.path().join("arguments");
    std::fs::write(&editor, format!("#!/bin/sh\necho \"$@\" > {}\n", log.display())).unwrap();
    std::process::Command::new("chmod").arg("+x").arg(&editor).status().unwrap();
    let catalog = folder.path().display().to_string();
    let editor = editor.display().to_string();
    let mut terminal =
        Terminal::start_with(&["--catalog", &catalog, "open", "catalog"], 100, 30, &[("EDITOR", &editor)]);
    terminal.wait_for("shop");
    terminal.send("e");
    terminal
        .wait_until("the editor's arguments", |_| std::fs::read_to_string(&log).is_ok_and(|a| !a.is_empty()));
    assert!(std::fs::read_to_string(&log).unwrap().starts_with("+2 "));
    terminal.wait_entered();
    terminal.wait_for("shop");
    terminal.send(":q\r");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_whole();
}

#[test]
fn nothing_is_written_while_nothing_changes() {
    let mut terminal = Terminal::start(&["open", "catalog"], 100, 30);
    terminal.wait_for("NAME");
    terminal.send("j");
    terminal
        .wait_until("the row below", |screen| screen.lines().nth(4).is_some_and(|line| line.contains('>')));
    let before = terminal.written();
    std::thread::sleep(std::time::Duration::from_millis(700));
    assert_eq!(terminal.written(), before);
    terminal.send(":q\r");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[test]
fn a_saved_file_shows_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str| {
        let text = format!(
            "apiVersion: backstage.io/v1alpha1\nkind: System\nmetadata: {{name: {name}}}\nspec: {{owner: nobody}}\n"
        );
        std::fs::write(folder.path().join("catalog-info.yaml"), text).unwrap();
    };
    write("before");
    let catalog = folder.path().display().to_string();
    let mut terminal = Terminal::start(&["--catalog", &catalog, "open", "catalog"], 100, 30);
    terminal.wait_for("before");
    write("behind");
    terminal.wait_for("behind");
    terminal.wait_gone("before");
    terminal.send(":sources\r");
    terminal.wait_for("watched");
    terminal.send(":q\r");
    assert_eq!(terminal.wait_for_end(), 0);
}

#[test]
fn changed_settings_count_at_once_and_mistakes_are_told() {
    let config = tempfile::tempdir().unwrap();
    let folder = config.path().display().to_string();
    let file = config.path().join("config.toml");
    std::fs::write(&file, "[ui]\nascii = false\n").unwrap();
    let variables = [("DEVPORTAL_CONFIG_DIR", folder.as_str())];
    let mut terminal = Terminal::start_with(&["open", "catalog"], 100, 30, &variables);
    terminal.wait_for("▸ Catalog");
    // what is watched is settled once the catalog is there
    terminal.wait_for("add-alert-rules");
    terminal.wait_for(" now");
    std::fs::write(&file, "[ui]\nascii = true\n").unwrap();
    terminal.wait_for("read again");
    terminal.wait_for("> Catalog");
    std::fs::write(&file, "[ui]\nascii = maybe\n").unwrap();
    terminal.wait_for("config.toml:2");
    terminal.wait_for("> Catalog");
    terminal.send(":q\r");
    assert_eq!(terminal.wait_for_end(), 0);
}

/// A template that asks two pages, one question of them only after another answer, and makes a tool beside it.
fn template(folder: &std::path::Path) {
    let made = folder.join("made").display().to_string();
    let text = format!(
        r"apiVersion: scaffolder.backstage.io/v1beta3
kind: Template
metadata: {{name: tool, title: Make a tool}}
spec:
  type: tool
  parameters:
    - title: Basics
      required: [name, kind]
      properties:
        name: {{title: Name, type: string, pattern: '^[a-z]+$'}}
        kind: {{title: Kind, type: string, enum: [cli, server]}}
      dependencies:
        kind:
          oneOf:
            - properties: {{kind: {{enum: [cli]}}}}
            - properties: {{kind: {{enum: [server]}}, port: {{title: Port, type: integer}}}}
              required: [port]
    - title: Words
      properties:
        description: {{title: Description, type: string}}
  steps:
    - id: files
      name: Copy the files
      action: fetch:template
      input:
        url: ./skeleton
        values: {{name: '${{{{ parameters.name }}}}', port: '${{{{ parameters.port }}}}', description: '${{{{ parameters.description }}}}'}}
    - id: publish
      name: Put them beside the others
      action: publish:file
      input: {{path: '{made}/${{{{ parameters.name }}}}'}}
  output:
    links:
      - {{title: The tool, entityRef: 'component:default/${{{{ parameters.name }}}}'}}
"
    );
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("tool/template.yaml", &text);
    write(
        "catalog-info.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: all}\nspec: {targets: [./tool/template.yaml]}\n",
    );
    write(
        "tool/skeleton/catalog-info.yaml",
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: ${{ values.name }}\n  description: ${{ values.description }} on ${{ values.port }}\nspec: {type: tool, owner: me, lifecycle: production}\n",
    );
}

#[test]
fn a_template_is_played_from_its_card_to_the_new_entity() {
    let folder = tempfile::tempdir().unwrap();
    template(folder.path());
    let state = tempfile::tempdir().unwrap();
    let catalog = folder.path().display().to_string();
    let state = state.path().display().to_string();
    let arguments = ["--catalog", catalog.as_str(), "open", "templates"];
    let variables = [("XDG_STATE_HOME", state.as_str())];
    let mut terminal = Terminal::start_with(&arguments, 120, 40, &variables);
    terminal.wait_for("Make a tool");
    terminal.send("\r");
    terminal.wait_for("step 1 of 3: Basics");
    // a mistake is told when the field is left, and mended by going back to it
    terminal.send("No Good\t");
    terminal.wait_for("✗");
    terminal.send("\u{1b}[Z\u{15}hammer\t");
    terminal.wait_gone("is not allowed");
    // the port is asked for only where there is a server
    terminal.send("ser\r");
    terminal.wait_for("Port *");
    terminal.send("8080\r");
    terminal.wait_for("step 2 of 3: Words");
    terminal.send("\u{1b}");
    terminal.wait_for("step 1 of 3: Basics");
    terminal.send("\t\t\t");
    terminal.wait_for("step 2 of 3: Words");
    terminal.send("Hits nails");
    terminal.wait_for("Hits nails");
    terminal.wait_for("draft saved");
    terminal.signal("KILL");
    terminal.wait_for_end();

    let mut terminal = Terminal::start_with(&arguments, 120, 40, &variables);
    terminal.wait_for("Make a tool");
    terminal.send("\r");
    terminal.wait_for("there is a draft");
    terminal.send("c");
    terminal.wait_for("Hits nails");
    terminal.send("\u{12}");
    terminal.wait_for("Nothing has been done so far");
    terminal.send("c");
    terminal.wait_for("Create?");
    assert!(!folder.path().join("made").exists(), "a review makes nothing");
    terminal.send("y");
    terminal.wait_for("all done");
    terminal.send("E");
    terminal.wait_for("Hits nails on 8080");
    terminal.send(":q\r");
    assert_eq!(terminal.wait_for_end(), 0);
    terminal.assert_whole();
}
