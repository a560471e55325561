use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

fn open(path: &Path) -> Kept {
    Kept::open(path).0
}

fn text(kept: &Kept, key: &str) -> Option<String> {
    kept.get(key).map(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn keeps_what_was_put_across_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/kept");
    let kept = open(&path);
    kept.put("a", b"one");
    kept.put("a", b"two");
    kept.put("b", b"");
    kept.put("c", b"three");
    kept.remove("c");
    kept.put("answer:x", b"page");
    kept.retain(|key| key == "a");
    drop(kept);
    let kept = open(&path);
    let all = ["a", "b", "c", "answer:x"].map(|key| text(&kept, key));
    assert_eq!(all, [Some("two".into()), None, None, Some("page".into())]);
    assert_eq!(kept.problem(), None);
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    open(&path).put("a", b"secret page");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_second_instance_reads_and_takes_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    let first = open(&path);
    first.put("a", b"1");
    first.put("b", b"1");
    let second = open(&path);
    second.put("a", b"2");
    second.remove("b");
    assert_eq!((text(&second, "a"), text(&second, "b")), (Some("2".into()), None));
    assert_eq!((text(&first, "a"), text(&first, "b")), (Some("1".into()), Some("1".into())));
    first.put("c", b"1");
    drop(first);
    if let Mode::Reader(reader) = &mut second.lock().mode {
        reader.next_try = Instant::now();
    }
    second.put("d", b"2");
    drop(second);
    let third = open(&path);
    let all = ["a", "b", "c", "d"].map(|key| text(&third, key));
    assert_eq!(all, [Some("2".into()), None, Some("1".into()), Some("2".into())]);
}

#[test]
fn a_damaged_file_is_put_aside_with_its_good_part_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    let kept = open(&path);
    kept.put("a", b"1");
    let good = std::fs::metadata(&path).unwrap().len();
    kept.put("b", b"2");
    drop(kept);
    let whole = std::fs::read(&path).unwrap();
    let mut spoiled = whole.clone();
    spoiled[good as usize + 2] ^= 0x40;
    std::fs::write(&path, &spoiled).unwrap();
    let (kept, told) = Kept::open(&path);
    assert_eq!(told.map(|d| d.code), Some("store::damaged"));
    assert_eq!((text(&kept, "a"), text(&kept, "b")), (Some("1".into()), None));
    assert_eq!(std::fs::read(folder.path().join("kept.bad")).unwrap(), spoiled);
    drop(kept);
    std::fs::write(&path, "something else entirely").unwrap();
    let (kept, told) = Kept::open(&path);
    assert!(told.is_some() && kept.get("a").is_none());
    kept.put("a", b"3");
    drop(kept);
    assert_eq!(text(&open(&path), "a"), Some("3".into()));
}

#[test]
fn a_damaged_value_is_missing_not_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    let kept = open(&path);
    kept.put("a", b"value of a");
    kept.put("b", b"value of b");
    drop(kept);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(10).position(|part| part == b"value of a").unwrap();
    bytes[at] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let kept = open(&path);
    assert_eq!((text(&kept, "a"), text(&kept, "b")), (None, Some("value of b".into())));
    assert_eq!(kept.problem().map(|d| d.code), Some("store::damaged"));
}

#[test]
fn works_in_memory_where_nothing_can_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let blocked = folder.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let (kept, told) = Kept::open(&blocked.join("kept"));
    assert_eq!(told.map(|d| d.code), Some("store::not-kept"));
    kept.put("a", b"1");
    assert_eq!(text(&kept, "a"), Some("1".into()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_healed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    let kept = open(&path);
    kept.put("a", b"1");
    let full = File::options().read(true).write(true).open("/dev/full").unwrap();
    let swap = |file: File| {
        let mut state = kept.lock();
        let Mode::Writer(writer) = &mut state.mode else { panic!("it writes") };
        writer.next_try = writer.next_try.map(|_| Instant::now());
        std::mem::replace(&mut writer.file, file)
    };
    let real = swap(full);
    kept.put("b", b"2");
    assert_eq!(text(&kept, "b"), Some("2".into()));
    assert_eq!(kept.problem().map(|d| d.code), Some("store::not-kept"));
    swap(real);
    kept.put("b", b"2");
    kept.put("c", b"3");
    assert_eq!(kept.problem(), None);
    drop(kept);
    let kept = open(&path);
    let all = ["a", "b", "c"].map(|key| text(&kept, key));
    assert_eq!(all, [Some("1".into()), Some("2".into()), Some("3".into())]);
}

#[test]
fn out_of_date_records_and_the_least_used_make_room() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    let kept = open(&path);
    for round in 0..40_u8 {
        kept.put("same", &vec![round; 100_000]);
    }
    assert!(std::fs::metadata(&path).unwrap().len() < 2 * COMPACT_FROM);
    kept.lock().limit = Some(1_000_000);
    for number in 0..30_u8 {
        kept.put(&format!("n{number}"), &vec![number; 100_000]);
        assert!(kept.get("same").is_some(), "it is used all the time");
    }
    assert!(std::fs::metadata(&path).unwrap().len() <= 1_000_000);
    assert!(kept.get("n0").is_none());
    assert_eq!(kept.get("n29").unwrap().to_vec(), vec![29; 100_000]);
    drop(kept);
    assert_eq!(open(&path).get("same").unwrap().to_vec(), vec![39; 100_000]);
}

#[derive(Debug, Clone)]
enum Change {
    Put(u8, Vec<u8>),
    Remove(u8),
    Retain(u8),
    Reopen,
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        6 => (0..6_u8, prop::collection::vec(any::<u8>(), 0..60)).prop_map(|(key, value)| Change::Put(key, value)),
        2 => (0..6_u8).prop_map(Change::Remove),
        1 => (0..6_u8).prop_map(Change::Retain),
        1 => Just(Change::Reopen),
    ]
}

type Model = BTreeMap<String, Vec<u8>>;

fn content(kept: &Kept) -> Model {
    let names = (0..6_u8).map(|key| key.to_string());
    names.filter_map(|key| Some((key.clone(), kept.get(&key)?.to_vec()))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_file_cut_anywhere_is_as_it_was_at_some_moment(
        changes in prop::collection::vec(change(), 1..30),
        cut in 0.0..1.0_f64,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let mut kept = open(&path);
        let mut model = Model::new();
        let mut moments = vec![(0, model.clone())];
        for change in changes {
            match change {
                Change::Put(key, value) => {
                    kept.put(&key.to_string(), &value);
                    model.insert(key.to_string(), value);
                }
                Change::Remove(key) => {
                    kept.remove(&key.to_string());
                    model.remove(&key.to_string());
                }
                Change::Retain(key) => {
                    // in one step, so that each moment is a whole one
                    let goes = model.keys().rfind(|k| **k >= key.to_string()).cloned();
                    kept.retain(|k| Some(k) != goes.as_deref());
                    model.retain(|k, _| Some(k) != goes.as_ref());
                }
                Change::Reopen => {
                    drop(kept);
                    kept = open(&path);
                }
            }
            prop_assert_eq!(&content(&kept), &model);
            moments.push((std::fs::metadata(&path).unwrap().len(), model.clone()));
        }
        drop(kept);
        let size = std::fs::metadata(&path).unwrap().len();
        let length = (size as f64 * cut) as u64;
        File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        let expected = moments.iter().rev().find(|(end, _)| *end <= length).unwrap();
        let (kept, told) = Kept::open(&path);
        prop_assert!(told.is_none());
        prop_assert_eq!(&content(&kept), &expected.1);
        kept.put("0", b"goes on");
        drop(kept);
        prop_assert_eq!(open(&path).get("0").unwrap().to_vec(), b"goes on".to_vec());
    }

    #[test]
    fn no_damage_gives_a_wrong_value(at in 0..1000_usize, bit in 0..8_u32) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kept");
        let kept = open(&path);
        let values: Model = (0..6_u8).map(|key| (key.to_string(), vec![key; 40])).collect();
        for (key, value) in &values {
            kept.put(key, value);
        }
        drop(kept);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        std::fs::write(&path, bytes).unwrap();
        for (key, value) in content(&open(&path)) {
            prop_assert_eq!(Some(&value), values.get(&key));
        }
    }
}
