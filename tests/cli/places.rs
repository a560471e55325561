//! Where the catalog comes from, and sources that fail.

use crate::run::{Machine, SHOP, shop};
use insta::assert_snapshot;
use std::io::Write;
use std::net::TcpListener;

#[test]
fn without_anything_the_sample_is_shown_and_said() {
    let outcome = Machine::new().run(&["get", "systems", "-o", "name"]);
    assert_eq!(outcome.code, 0);
    assert!(outcome.stdout.lines().count() > 3, "{}", outcome.stdout);
    assert_snapshot!(outcome.stderr);
}

#[test]
fn the_command_line_wins_over_the_settings() {
    let machine = Machine::with(&[("one/catalog-info.yaml", SHOP)]);
    machine.settings(
        "config.toml",
        "[[catalog.source]]\ntype = \"dir\"\nname = \"none\"\npath = \"/nowhere\"\n",
    );
    let outcome = machine.run(&["--catalog", "one", "get", "team", "-o", "name"]);
    assert_snapshot!(outcome);
}

#[test]
fn a_path_that_is_not_there_exits_3() {
    assert_snapshot!(Machine::new().run(&["--catalog", "nowhere", "get"]));
}

#[test]
fn a_dead_server_alone_exits_5_and_beside_others_6() {
    let machine = shop();
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{free}/catalog-info.yaml");
    let alone = machine.run(&["--catalog", &url, "get", "systems", "-o", "name"]);
    assert_eq!((alone.code, alone.stdout.as_str()), (5, ""), "{}", alone.stderr);
    let beside = machine.run(&["--catalog", ".", "--catalog", &url, "get", "systems", "-o", "name"]);
    assert_eq!((beside.code, beside.stdout.as_str()), (6, "system:default/shop\n"), "{}", beside.stderr);
    assert!(beside.stderr.contains(&url), "{}", beside.stderr);
}

#[test]
fn a_server_that_never_answers_ends_in_time() {
    let machine = shop();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/catalog-info.yaml", listener.local_addr().unwrap());
    let outcome = machine.run(&["--catalog", &url, "--timeout", "1s", "get"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (5, ""), "{}", outcome.stderr);
}

#[test]
fn offline_asks_no_server() {
    let machine = shop();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}/catalog-info.yaml", listener.local_addr().unwrap());
    let outcome = machine.run(&["--offline", "--catalog", &url, "get"]);
    assert_eq!(outcome.code, 5, "{}", outcome.stderr);
    assert!(listener.accept().is_err(), "nobody may connect");
}

#[test]
fn a_url_is_read_over_http() {
    let machine = Machine::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/catalog-info.yaml", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            use std::io::Read;
            let _ = stream.read(&mut [0; 4096]);
            let head =
                format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", SHOP.len());
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(SHOP.as_bytes()));
        }
    });
    let outcome = machine.run(&["--catalog", &url, "get", "systems", "-o", "name"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "system:default/shop\n"), "{}", outcome.stderr);
}

#[test]
fn a_broken_file_does_not_change_the_exit_code() {
    let machine = shop();
    machine.write("catalog-info-broken.yaml", "apiVersion: backstage.io/v1alpha1\nkind: [\n");
    let outcome = machine.run(&["get", "systems", "-o", "name"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "system:default/shop\n"));
}
