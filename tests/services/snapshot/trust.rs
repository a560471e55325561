//! Snapshots that were tampered with, are not signed as they should be, or cannot be had just now.

use super::*;
use devportal::catalog::shared::Manifest;
use devportal::catalog::shared::manifest::DataObject;
use std::io::Write as _;

/// A snapshot in a folder, and a machine that has read it once.
struct Laptop {
    place: Folder,
    cache: Folder,
    source: SourceConfig,
}

impl Laptop {
    fn new(key: Option<&SigningKey>) -> Self {
        let (company, place, cache) = (company(), Folder::new(&[]), Folder::new(&[]));
        let options = Options { key, ..options(NOON) };
        to_folder(&company.load(), place.path(), &options).unwrap();
        let mut source = source(place.path().to_str().unwrap());
        source.public_key = key.map(|key| key.public().to_base64());
        let laptop = Self { place, cache, source };
        assert_eq!((laptop.load().len(), error(&laptop.load())), (5, String::new()));
        laptop
    }

    /// A new start of the program.
    fn load(&self) -> Arc<Catalog> {
        load(&keeping(vec![self.source.clone()], self.cache.path()))
    }

    /// A machine that never read it.
    fn fresh(&self) -> Arc<Catalog> {
        load(&loader(vec![self.source.clone()]))
    }

    fn manifest(&self) -> Manifest {
        Manifest::parse(&std::fs::read(self.place.path().join("manifest.json")).unwrap(), None).unwrap()
    }

    fn put(&self, manifest: &Manifest) {
        self.place.write("manifest.json", manifest.to_bytes());
    }

    /// Puts other data there with a manifest that fits, unsigned.
    fn put_data(&self, data: &[u8], change: impl FnOnce(&mut Manifest)) {
        let mut manifest = Manifest { signature: None, ..self.manifest() };
        manifest.data = DataObject::of(data, 1_000_000);
        change(&mut manifest);
        self.place.write(&manifest.data.name, data);
        self.put(&manifest);
    }

    /// Checks that a machine that has a copy shows it with the cause, and one that has none shows nothing.
    fn assert_refused(&self, cause: &str) {
        let old = self.load();
        assert_eq!(old.len(), 5, "{cause}");
        let message = error(&old);
        assert!(message.contains(cause), "`{message}` does not say `{cause}`");
        assert!(message.contains("what was read before is still shown"), "{message}");
        assert!(old.sources()[0].read_at.is_some());
        let fresh = self.fresh();
        assert!(fresh.is_empty() && error(&fresh).contains(cause), "{}", error(&fresh));
    }
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn changed_data_is_refused() {
    let laptop = Laptop::new(None);
    let name = laptop.manifest().data.name;
    let path = laptop.place.path().join(&name);
    let mut data = std::fs::read(&path).unwrap();
    data[100] ^= 1;
    std::fs::write(&path, &data).unwrap();
    // whoever has it needs no data
    assert_eq!(error(&laptop.load()), "");
    assert!(error(&laptop.fresh()).contains("the checksum of"), "{}", error(&laptop.fresh()));
    std::fs::write(&path, &data[..100]).unwrap();
    assert!(error(&laptop.fresh()).contains("has 100 bytes in place of"));
    std::fs::remove_file(&path).unwrap();
    assert!(error(&laptop.fresh()).contains("is missing"), "{}", error(&laptop.fresh()));
}

#[test]
fn a_manifest_that_makes_no_sense_is_refused() {
    let laptop = Laptop::new(None);
    let whole = laptop.manifest();
    for (text, cause) in [
        ("", "is no JSON"),
        ("{\"format\": \"devportal-snapshot/1\"", "is no JSON"),
        ("<html>Sign in</html>", "a page for people"),
        ("{\"format\": \"devportal-snapshot/9\"}", "does not read"),
        ("{\"format\": \"devportal-snapshot/1\"}", "makes no sense"),
        ("[]", "not one of devportal"),
    ] {
        laptop.place.write("manifest.json", text);
        laptop.assert_refused(cause);
    }
    laptop.place.write("manifest.json", vec![b' '; 2 * 1024 * 1024]);
    laptop.assert_refused("larger than it can be");
    laptop.put(&whole);
    assert_eq!(error(&laptop.load()), "");
}

#[test]
fn a_signature_must_be_there_and_right() {
    let (key, other) = (key(), key());
    let laptop = Laptop::new(Some(&key));
    let signed = laptop.manifest();
    laptop.put(&Manifest { signature: None, ..signed.clone() });
    laptop.assert_refused("it is not signed");
    let mut changed = signed.clone();
    changed.created = LATER.parse().unwrap();
    laptop.put(&changed);
    laptop.assert_refused("it was changed afterwards");
    changed.sign(&other);
    laptop.put(&changed);
    laptop.assert_refused("trusted is");
    laptop.put_data(&packed("{}\n"), |_| ());
    laptop.assert_refused("it is not signed");
    laptop.put(&signed);
    assert_eq!(error(&laptop.load()), "");
}

#[test]
fn keys_change_without_a_gap() {
    let (old, new) = (key(), key());
    let mut laptop = Laptop::new(Some(&old));
    laptop.source.public_key = Some(format!("{} {}", old.public().to_base64(), new.public().to_base64()));
    assert_eq!(error(&laptop.fresh()), "");
    let published =
        to_folder(&company().load(), laptop.place.path(), &Options { key: Some(&new), ..options(LATER) })
            .unwrap();
    assert!(published.manifest.is_signed_by(new.public()));
    assert_eq!(error(&laptop.fresh()), "");
    laptop.source.public_key = Some(old.public().to_base64());
    assert!(error(&laptop.fresh()).contains("trusted is"));
}

#[test]
fn a_key_that_is_none_is_told() {
    let mut laptop = Laptop::new(None);
    laptop.source.public_key = Some("hello".into());
    assert!(
        error(&laptop.fresh()).contains("`public_key` of the source is not usable"),
        "{}",
        error(&laptop.fresh())
    );
}

#[test]
fn an_older_one_is_shown_and_told() {
    let laptop = Laptop::new(None);
    let old = laptop.manifest();
    let company = company();
    company.write("new/catalog-info.yaml", component("new"));
    publish_at(&company.load(), laptop.place.path(), LATER);
    assert_eq!(laptop.load().len(), 6);
    laptop.put(&old);
    for _ in 0..2 {
        let catalog = laptop.load();
        assert_eq!(catalog.len(), 5);
        assert!(codes(&catalog).contains(&"snapshot::older"), "{:?}", codes(&catalog));
    }
    company.write("new/catalog-info.yaml", component("newer"));
    publish_at(&company.load(), laptop.place.path(), "2026-03-01T14:00:00Z");
    assert!(!codes(&laptop.load()).contains(&"snapshot::older"));
}

#[test]
fn what_unpacks_to_more_than_it_says_is_refused() {
    let laptop = Laptop::new(None);
    let whole = laptop.manifest();
    let bomb = packed(&"a".repeat(50_000_000));
    laptop.put_data(&bomb, |manifest| manifest.data.unpacked = 50_000_000);
    laptop.assert_refused("unpack to more than a catalog can be");
    laptop.put(&whole);
    laptop.put_data(&bomb, |_| ());
    laptop.assert_refused("unpacks to more than the manifest says");
}

#[test]
fn records_that_make_no_sense_are_refused() {
    let laptop = Laptop::new(None);
    let header = "{\"snapshot\":{\"format\":\"devportal-snapshot/1\",\"sources\":[]}}\n";
    let end =
        |files: u64, entities: u64| format!("{{\"end\":{{\"files\":{files},\"entities\":{entities}}}}}\n");
    let file = |entity: &str| {
        format!(
            "{{\"file\":{{\"path\":\"a\",\"location\":\"url:x\",\"entities\":[{{\"line\":1,\"entity\":{entity}}}]}}}}\n"
        )
    };
    let entity = "{\"kind\":\"Group\",\"metadata\":{\"name\":\"g\"}}";
    let deep = format!(
        "{{\"kind\":\"Group\",\"metadata\":{{\"name\":\"g\"}},\"x\":{}{}}}",
        "[".repeat(5000),
        "]".repeat(5000)
    );
    let try_text = |text: &str, entities: u64| {
        laptop.put_data(&packed(text), |manifest| (manifest.files, manifest.entities) = (entities, entities));
        error(&laptop.fresh())
    };
    assert_eq!(try_text(&format!("{header}{}{}", file(entity), end(1, 1)), 1), "");
    // what a later version may add is passed over
    let later = format!("{header}{{\"later\":{{\"x\":1}}}}\n{}{}", file(entity), end(1, 1));
    assert_eq!(try_text(&later, 1), "");
    for (text, cause) in [
        (format!("{header}{}", file(entity)), "does not hold what the manifest says"),
        (format!("{header}{}{}", file(entity), end(2, 2)), "does not hold what the manifest says"),
        (format!("{}{}", file(entity), end(1, 1)), "not in order"),
        (format!("{header}{}{}", end(1, 1), file(entity)), "not in order"),
        (format!("{header}{}{}", file("{\"kind\":1}"), end(1, 1)), "is no entity"),
        (format!("{header}{}{}", file(&deep), end(1, 1)), "nested deeper"),
        (format!("{header}{{\"file\":\n"), "makes no sense"),
        ("\u{0}\u{1}".to_owned(), "makes no sense"),
    ] {
        let message = try_text(&text, 1);
        assert!(message.contains(cause), "`{message}` does not say `{cause}`");
    }
    laptop.put_data(b"no gzip at all", |_| ());
    assert!(error(&laptop.fresh()).contains("does not unpack"), "{}", error(&laptop.fresh()));
}

#[test]
fn a_place_that_is_away_leaves_the_copy_with_its_age() {
    let laptop = Laptop::new(None);
    let before = Timestamp::now();
    let hidden = laptop.place.path().with_extension("hidden");
    std::fs::rename(laptop.place.path(), &hidden).unwrap();
    laptop.assert_refused("there is no snapshot at");
    assert!(laptop.load().sources()[0].read_at.unwrap() <= before);
    std::fs::rename(&hidden, laptop.place.path()).unwrap();
    assert_eq!(error(&laptop.load()), "");
}

#[test]
fn a_damaged_copy_is_read_anew() {
    let laptop = Laptop::new(None);
    let kept: Vec<_> = files(laptop.cache.path());
    assert!(kept.iter().any(|(path, _)| path.extension().is_some_and(|end| end == "gz")), "{kept:?}");
    for (path, content) in &kept {
        for damage in [&content[..content.len() / 2], b"".as_slice(), b"{}"] {
            std::fs::write(path, damage).unwrap();
            let catalog = laptop.load();
            assert_eq!((catalog.len(), error(&catalog)), (5, String::new()), "{}", path.display());
        }
    }
}
