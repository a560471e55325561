//! Trees that were made to break whoever reads them: each oddity is told, nothing hangs or is lost.

use crate::{Folder, codes, component, group, load, location, problems, refs, within};
use std::time::Duration;

#[test]
fn odd_files_are_told_and_their_neighbours_stay() {
    within(Duration::from_secs(60), || {
        let folder = Folder::new(&[("catalog-info.yaml", &component("a")), ("org.yaml", &group("team"))]);
        let path = |name: &str| folder.path().join(name);
        folder.write("bom/catalog-info.yaml", "\u{feff}".to_owned() + &component("bom"));
        folder.write("crlf/catalog-info.yaml", component("crlf").replace('\n', "\r\n"));
        let latin = [b"# caf\xe9\n".as_slice(), component("latin").as_bytes()].concat();
        folder.write("latin/catalog-info.yaml", latin);
        folder.write("tab/catalog-info.yaml", "a:\n\tb: 1\n");
        folder.write("deep/catalog-info.yaml", "[".repeat(10_000));
        folder.write("huge/catalog-info.yaml", vec![b'#'; 50 * 1024 * 1024]);
        folder.write("huge/values.yaml", vec![b'#'; 50 * 1024 * 1024]);
        #[cfg(unix)]
        {
            std::fs::create_dir_all(path("pipe")).unwrap();
            let made =
                std::process::Command::new("mkfifo").arg(path("pipe/catalog-info.yaml")).status().unwrap();
            assert!(made.success());
            let link = |target: &str, name: &str| {
                std::fs::create_dir_all(path(name).parent().unwrap()).unwrap();
                std::os::unix::fs::symlink(target, path(name)).unwrap();
            };
            link("catalog-info.yaml", "circle/catalog-info.yaml");
            link("..", "circle/up");
            link("/etc/hostname", "out/catalog-info.yaml");
            link("/etc", "out/etc");
            link("../catalog-info.yaml", "again/catalog-info.yaml");
            link("/dev/zero", "device/catalog-info.yaml");
        }
        let catalog = folder.load();
        assert_eq!(
            refs(&catalog),
            [
                "component:default/a",
                "component:default/bom",
                "component:default/crlf",
                "component:default/latin",
                "group:default/team"
            ]
        );
        let mut found = codes(&catalog);
        found.sort_unstable();
        let unix: &[&str] = if cfg!(unix) {
            &[
                "catalog::link-loop",
                "catalog::link-not-followed",
                "catalog::link-not-followed",
                "catalog::not-a-file",
                "catalog::outside-root",
                "catalog::outside-root",
            ]
        } else {
            &[]
        };
        let mut expected = vec!["catalog::file-too-large", "yaml::not-utf8", "yaml::tab", "yaml::too-deep"];
        expected.extend(unix);
        expected.sort_unstable();
        assert_eq!(found, expected);
    });
}

#[test]
#[cfg(unix)]
fn unreadable_files_and_folders_are_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new(&[
        ("catalog-info.yaml", &group("a")),
        ("b/catalog-info.yaml", &group("b")),
        ("c/catalog-info.yaml", &group("c")),
    ]);
    let set = |name: &str, mode| {
        std::fs::set_permissions(folder.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    set("b/catalog-info.yaml", 0o000);
    set("c", 0o000);
    // whoever may read everything cannot see this
    let is_root = std::fs::read(folder.path().join("b/catalog-info.yaml")).is_ok();
    let catalog = folder.load();
    set("c", 0o755);
    if is_root {
        assert_eq!(catalog.len(), 3);
    } else {
        assert_eq!(refs(&catalog), ["group:default/a"]);
        assert_eq!(codes(&catalog), ["catalog::unreadable-file", "catalog::unreadable-folder"]);
    }
}

#[test]
#[cfg(unix)]
fn links_out_of_the_root_are_refused_for_targets_and_placeholders() {
    let outside = Folder::new(&[("secret.yaml", &group("secret"))]);
    let folder = Folder::new(&[
        ("all.yaml", &location("all", "  targets: [./link.yaml, ./folder/secret.yaml, ./inside.yaml]\n")),
        ("real.yaml", &group("real")),
        ("api.yaml", &crate::api("a", "$text: ./link.yaml")),
    ]);
    let link = |target: &std::path::Path, name: &str| {
        std::os::unix::fs::symlink(target, folder.path().join(name)).unwrap();
    };
    link(&outside.path().join("secret.yaml"), "link.yaml");
    link(outside.path(), "folder");
    link(std::path::Path::new("real.yaml"), "inside.yaml");
    let catalog = load(folder.file_source("all.yaml"));
    assert_eq!(refs(&catalog), ["group:default/real", "location:default/all"]);
    assert_eq!(codes(&catalog), ["catalog::outside-root", "catalog::outside-root"]);
    let api = load(folder.file_source("api.yaml"));
    assert!(codes(&api).contains(&"catalog::outside-root"));
    assert!(!format!("{:?}", api.entities().next().unwrap().value()).contains("secret"));
}

#[test]
fn a_folder_or_file_that_is_not_there_is_one_error() {
    for place in ["/nonexistent/catalog", "/nonexistent/catalog-info.yaml"] {
        let catalog = load(devportal::config::source::SourceConfig::guess(place, None));
        assert!(catalog.is_empty());
        assert_eq!(codes(&catalog), ["source::unreadable"]);
        assert!(catalog.sources()[0].error.is_some());
    }
}

#[test]
fn a_broken_document_leaves_its_neighbours() {
    let folder = Folder::new(&[("catalog-info.yaml", &(group("a") + "---\na: [\n---\n---\n" + &group("b")))]);
    let catalog = folder.load();
    assert_eq!(refs(&catalog), ["group:default/a", "group:default/b"]);
    assert_eq!(problems(&catalog).len(), 1);
}

#[test]
fn a_target_that_takes_in_a_huge_file_many_times_is_bounded() {
    within(Duration::from_secs(60), || {
        let definitions: String = (0..100).map(|_| "    - $text: ./big.txt\n").collect();
        let folder = Folder::new(&[(
            "catalog-info.yaml",
            &format!(
                "apiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: r\nspec:\n  type: x\n  owner: team\n  list:\n{definitions}"
            ),
        )]);
        folder.write("big.txt", vec![b'x'; 1024 * 1024]);
        let catalog = folder.load();
        assert_eq!(catalog.len(), 1);
        assert!(catalog.entities().next().unwrap().packed().len() < 9 * 1024 * 1024);
    });
}
