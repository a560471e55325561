//! A company of any size, the same on every machine: what benches load and search.
//!
//! Shape: one root Location, Locations for people, systems and eighty repositories each; groups in a
//! tree, users in files of five hundred, repositories with a component, its APIs and resources;
//! dependencies whose targets crowd at few components.

use std::fmt::Write as _;
use std::path::Path;

/// Numbers that depend on the seed alone (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() >> 11) as usize % n.max(1)
    }

    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Small numbers far more often than large ones.
    fn crowded(&mut self, n: usize) -> usize {
        ((n as f64) * self.unit().powi(3)) as usize
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }
}

const THINGS: &[&str] = &[
    "order", "invoice", "ledger", "cart", "session", "price", "stock", "parcel", "refund", "coupon", "alert",
    "report",
];
const ROLES: &[&str] =
    &["api", "worker", "gateway", "sync", "indexer", "store", "broker", "frontend", "batch", "adapter"];
const TAGS: &[&str] =
    &["go", "java", "rust", "python", "kafka", "postgres", "redis", "grpc", "rest", "react", "spark"];
const TEXT: &[&str] = &[
    "Keeps the books of every region and hands them to reporting once an hour.",
    "Reads the stream of its neighbours and writes to a store of its own.",
    "Answers partners and mobile clients; see the runbook before you page anybody.",
    "Came out of the monolith and is the source of truth since then.",
];

/// A file: its path and its text.
pub type File = (String, String);

/// Makes a catalog of about this many entities.
pub fn generate(entities: usize) -> Vec<File> {
    let mut random = Random(entities as u64);
    let mut files = Vec::new();
    let groups = (entities / 40).max(2);
    let users = entities * 3 / 10;
    let systems = (entities / 25).max(1);
    let repositories = ((entities - groups - users - systems) * 5 / 8).max(1);
    let name =
        |i: usize| format!("{}-{}-{i}", THINGS[i % THINGS.len()], ROLES[i / THINGS.len() % ROLES.len()]);

    let mut out = String::new();
    for i in 0..groups {
        let parent = if i == 0 { String::new() } else { format!("  parent: team-{}\n", i / 8) };
        let _ = write!(
            out,
            "---\napiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata:\n  name: team-{i}\n  title: Team {i}\nspec:\n  type: \
             team\n{parent}  children: []\n"
        );
    }
    files.push(("org/groups.yaml".to_owned(), std::mem::take(&mut out)));
    for i in 0..users {
        let _ = write!(
            out,
            "---\napiVersion: backstage.io/v1alpha1\nkind: User\nmetadata:\n  name: user.{i}\n  annotations:\n    \
             example.com/employee-id: \"{i:06}\"\nspec:\n  profile:\n    displayName: Person {i}\n    email: \
             user.{i}@example.com\n  memberOf: [team-{}]\n",
            random.below(groups)
        );
        if i % 500 == 499 || i + 1 == users {
            files.push((format!("org/users-{:03}.yaml", i / 500), std::mem::take(&mut out)));
        }
    }
    for i in 0..systems {
        let _ = write!(
            out,
            "---\napiVersion: backstage.io/v1alpha1\nkind: System\nmetadata:\n  name: system-{i}\n  description: {}\nspec:\n  \
             owner: team-{}\n",
            random.pick(TEXT),
            random.below(groups)
        );
    }
    files.push(("org/systems.yaml".to_owned(), out));

    for i in 0..repositories {
        files.push((
            format!("repos/{}/catalog-info.yaml", name(i)),
            repository(&mut random, i, &name, [groups, systems, repositories]),
        ));
    }
    let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
    let mut roots = Vec::new();
    for (i, part) in paths.chunks(80).enumerate() {
        let path = format!("locations/part-{i:04}.yaml");
        files.push((path.clone(), location(&format!("part-{i:04}"), part, "../")));
        roots.push(path);
    }
    files.push(("all.yaml".to_owned(), location("all", &roots, "./")));
    files
}

fn repository(
    random: &mut Random,
    i: usize,
    name: &dyn Fn(usize) -> String,
    [groups, systems, all]: [usize; 3],
) -> String {
    let me = name(i);
    let (owner, system) = (random.below(groups), random.below(systems));
    let mut out = format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {me}\n  title: {} {i}\n  description: >-\n    {}\n    \
         {}\n  annotations:\n    github.com/project-slug: acme/{me}\n    backstage.io/techdocs-ref: dir:.\n    \
         backstage.io/kubernetes-id: {me}\n  labels:\n    example.com/tier: tier-{}\n  tags:\n    - {}\n    - {}\n  links:\n    - \
         url: https://grafana.example.com/{me}\n      title: Dashboard\n      icon: dashboard\nspec:\n  type: service\n  lifecycle: \
         {}\n  owner: team-{owner}\n  system: system-{system}\n",
        THINGS[i % THINGS.len()],
        random.pick(TEXT),
        random.pick(TEXT),
        random.below(4),
        random.pick(TAGS),
        random.pick(TAGS),
        random.pick(&["production", "production", "experimental", "deprecated"]),
    );
    if i.is_multiple_of(3) {
        let _ = write!(out, "  providesApis:\n    - {me}-api\n");
    }
    let consumed = random.crowded(all) / 3 * 3;
    let _ = write!(out, "  consumesApis:\n    - {}-api\n", name(consumed));
    let mut dependencies: Vec<usize> =
        (0..random.below(5)).map(|_| random.crowded(all)).filter(|d| *d != i).collect();
    dependencies.sort_unstable();
    dependencies.dedup();
    if !dependencies.is_empty() {
        out.push_str("  dependsOn:\n");
        for d in dependencies {
            let _ = writeln!(out, "    - component:{}", name(d));
        }
    }
    if i.is_multiple_of(3) {
        let _ = write!(
            out,
            "---\napiVersion: backstage.io/v1alpha1\nkind: API\nmetadata:\n  name: {me}-api\n  description: What {me} \
             offers\nspec:\n  type: openapi\n  lifecycle: production\n  owner: team-{owner}\n  system: system-{system}\n  definition: \
             |\n    openapi: 3.0.0\n    info:\n      title: {me}\n      version: 1.0.0\n    paths:\n      /items:\n        get:\n          \
             summary: List items\n          responses:\n            \"200\":\n              description: A page\n"
        );
    }
    if i.is_multiple_of(4) {
        let _ = write!(
            out,
            "---\napiVersion: backstage.io/v1alpha1\nkind: Resource\nmetadata:\n  name: {me}-db\n  tags: [postgres]\nspec:\n  type: \
             database\n  owner: team-{owner}\n  system: system-{system}\n"
        );
    }
    out
}

fn location(name: &str, targets: &[String], up: &str) -> String {
    let mut out = format!(
        "apiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata:\n  name: {name}\nspec:\n  type: file\n  targets:\n"
    );
    for target in targets {
        let _ = writeln!(out, "    - {up}{target}");
    }
    out
}

/// Writes a catalog of about this many entities below a folder.
pub fn write(folder: &Path, entities: usize) {
    for (path, text) in generate(entities) {
        let full = folder.join(path);
        std::fs::create_dir_all(full.parent().unwrap()).unwrap();
        std::fs::write(full, text).unwrap();
    }
}
