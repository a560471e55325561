//! The settings: one row each, and the values they take.
//!
//! [`ALL`] is the whole truth. To add a setting, add a `pub static` row here and name it in `ALL`; its
//! variable, its line in `docs/config.md`, `config show` and the Settings pane follow.

use std::time::Duration;

/// One setting.
#[derive(Debug, PartialEq, Eq)]
pub struct Setting {
    /// Dotted name in `config.toml`.
    pub key: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Built-in value in its text form; `None` where nothing is set.
    pub default: Option<&'static str>,
    /// One sentence for people.
    pub help: &'static str,
    /// An example line for `config.toml`, where the default does not show the form.
    pub example: Option<&'static str>,
    /// Whether a project's file may set it only after the user trusted that file: it says where to
    /// connect, what to run or who one is.
    pub needs_trust: bool,
}

/// What a setting takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Yes or no.
    Bool,
    /// `500ms`, `30s`, `10m`, `2h`.
    Duration,
    /// Bytes: `5MB`, `512kB`, `8MiB`, `1048576`.
    Size,
    /// A list of words.
    Words,
    /// A list of tables of one kind; what one is called.
    Tables(&'static str),
    /// Tables by name.
    Sections,
    /// A whole number.
    Number,
}

/// The value of a setting.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing set.
    None,
    /// Text or one of the words of a choice.
    Text(String),
    /// Yes or no.
    Bool(bool),
    /// A time span.
    Duration(Duration),
    /// Bytes.
    Size(u64),
    /// A list of words.
    Words(Vec<String>),
    /// Tables as written; [`crate::config::Config`] has them decoded.
    Tables(Vec<toml::Value>),
    /// Tables by name, as written.
    Sections(toml::Table),
    /// A whole number.
    Number(u64),
}

const fn setting(
    key: &'static str,
    kind: Kind,
    default: Option<&'static str>,
    help: &'static str,
) -> Setting {
    Setting { key, kind, default, help, example: None, needs_trust: false }
}

/// Who the user is.
pub static USER: Setting = Setting {
    example: Some("user = \"user:default/ana.ruiz\""),
    needs_trust: true,
    ..setting(
        "user",
        Kind::Text,
        None,
        "The User entity you are; without it git's `user.email` is looked for in the catalog.",
    )
};

/// The colours.
pub static THEME: Setting = setting(
    "theme",
    Kind::Text,
    Some("default"),
    "Name of a theme: a built-in one or a file in the `themes` folder beside this file.",
);

/// Which keys do what.
pub static KEYMAP_PRESET: Setting = setting(
    "keymap.preset",
    Kind::Choice(&["default", "k9s", "vim"]),
    Some("default"),
    "The set of keys to start from; `keys.toml` changes single ones.",
);

/// Mouse capture.
pub static UI_MOUSE: Setting =
    setting("ui.mouse", Kind::Bool, Some("true"), "Whether the screen listens to the mouse.");

/// Plain characters only.
pub static UI_ASCII: Setting =
    setting("ui.ascii", Kind::Bool, Some("false"), "Whether signs and borders are drawn with ASCII only.");

/// Dark or light.
pub static UI_BACKGROUND: Setting = setting(
    "ui.background",
    Kind::Choice(&["auto", "dark", "light"]),
    Some("auto"),
    "The terminal's background; `auto` asks the terminal.",
);

/// The sources of the catalog.
pub static CATALOG_SOURCE: Setting = Setting {
    example: Some("[[catalog.source]]\ntype = \"dir\"\nname = \"company\"\npath = \"~/src/catalog\""),
    needs_trust: true,
    ..setting(
        "catalog.source",
        Kind::Tables("source"),
        None,
        "Where entities come from, one table each. As a variable: paths or URLs separated by commas.",
    )
};

/// Largest descriptor.
pub static CATALOG_MAX_FILE_SIZE: Setting = setting(
    "catalog.max_file_size",
    Kind::Size,
    Some("8MiB"),
    "Descriptor files larger than this are refused with a message.",
);

/// Kinds that may come through a Location.
pub static CATALOG_RULES: Setting = Setting {
    example: Some("catalog.rules = [\"Component\", \"API\", \"Resource\", \"System\"]"),
    needs_trust: true,
    ..setting(
        "catalog.rules",
        Kind::Words,
        None,
        "Kinds that files reached through a Location may add; without it all kinds may.",
    )
};

/// How long one request may take.
pub static HTTP_TIMEOUT: Setting =
    setting("http.timeout", Kind::Duration, Some("30s"), "How long one request may take as a whole.");

/// How long connecting may take.
pub static HTTP_CONNECT_TIMEOUT: Setting =
    setting("http.connect_timeout", Kind::Duration, Some("5s"), "How long connecting to a server may take.");

/// Whether clusters are used.
pub static KUBERNETES_ENABLED: Setting = setting(
    "kubernetes.enabled",
    Kind::Bool,
    Some("true"),
    "Whether Kubernetes clusters are connected to; without it none is ever asked.",
);

/// Which contexts are used.
pub static KUBERNETES_CONTEXTS: Setting = Setting {
    needs_trust: true,
    example: Some("kubernetes.contexts = [\"prod-*\", \"staging\"]"),
    ..setting(
        "kubernetes.contexts",
        Kind::Words,
        None,
        "Contexts of the kubeconfig that are used, `*` for any letters; without it all are.",
    )
};

/// Where to look when a list over all namespaces is forbidden.
pub static KUBERNETES_NAMESPACES: Setting = Setting {
    example: Some("kubernetes.namespaces = [\"shop\", \"payments\"]"),
    ..setting(
        "kubernetes.namespaces",
        Kind::Words,
        None,
        "Namespaces that are looked into where a list over all of them is forbidden.",
    )
};

/// Versions of kinds to ask for first.
pub static KUBERNETES_API_VERSIONS: Setting = Setting {
    example: Some("kubernetes.api_versions = [\"cronjobs=v1beta1\"]"),
    ..setting(
        "kubernetes.api_versions",
        Kind::Words,
        None,
        "Versions of kinds to ask clusters for first; newer and older ones are asked for by themselves.",
    )
};

/// Which clusters an entity is looked for in.
pub static KUBERNETES_SERVICE_LOCATOR: Setting = setting(
    "kubernetes.service_locator",
    Kind::Choice(&["multiTenant", "singleTenant", "catalogRelation"]),
    Some("multiTenant"),
    "Which clusters an entity is looked for in: all, the annotated one, or those it depends on.",
);

/// Clusters beside those of the kubeconfig.
pub static KUBERNETES_CLUSTER: Setting = Setting {
    example: Some(
        "[[kubernetes.cluster]]\nname = \"edge\"\nurl = \"https://edge.example.com:6443\"\ntoken = { env = \"EDGE_TOKEN\" }",
    ),
    needs_trust: true,
    ..setting(
        "kubernetes.cluster",
        Kind::Tables("cluster"),
        None,
        "Clusters beside those of the kubeconfig, one table each.",
    )
};

/// Kinds beside the built-in ones.
pub static KUBERNETES_CUSTOM_RESOURCE: Setting = Setting {
    example: Some(
        "[[kubernetes.custom_resource]]\ngroup = \"argoproj.io\"\nversion = \"v1alpha1\"\nplural = \"rollouts\"",
    ),
    ..setting(
        "kubernetes.custom_resource",
        Kind::Tables("custom resource"),
        None,
        "Kinds of objects beside the built-in ones, one table each.",
    )
};

/// Servers that know of alerts.
pub static ALERTS_PROVIDER: Setting = Setting {
    example: Some(
        "[[alerts.provider]]\nname = \"monitoring\"\ntype = \"prometheus\"\nurl = \"https://prometheus.example.com\"\ntoken = { env = \"PROMETHEUS_TOKEN\" }",
    ),
    needs_trust: true,
    ..setting(
        "alerts.provider",
        Kind::Tables("alerts provider"),
        None,
        "Servers that know of alerts, one table each; `type` is prometheus or alertmanager.",
    )
};

/// Whether access control is on.
pub static PERMISSIONS_ENABLED: Setting = Setting {
    needs_trust: true,
    ..setting(
        "permissions.enabled",
        Kind::Bool,
        Some("false"),
        "Whether the policy files decide who may see and do what; without it everybody may everything.",
    )
};

/// Policy files in CSV.
pub static PERMISSIONS_POLICIES: Setting = Setting {
    needs_trust: true,
    example: Some("permissions.policies = [\"rbac-policy.csv\"]"),
    ..setting(
        "permissions.policies",
        Kind::Words,
        None,
        "Files of roles and policies in CSV, as Backstage's RBAC plugin reads them.",
    )
};

/// Conditional policies in YAML.
pub static PERMISSIONS_CONDITIONS: Setting = Setting {
    needs_trust: true,
    example: Some("permissions.conditions = [\"conditional-policies.yaml\"]"),
    ..setting("permissions.conditions", Kind::Words, None, "Files of conditional policies in YAML.")
};

/// Who may do everything.
pub static PERMISSIONS_SUPER_USERS: Setting = Setting {
    needs_trust: true,
    example: Some("permissions.super_users = [\"user:default/ana\"]"),
    ..setting(
        "permissions.super_users",
        Kind::Words,
        None,
        "Users and groups that may do everything; groups by direct membership.",
    )
};

/// Who may change roles.
pub static PERMISSIONS_ADMINS: Setting = Setting {
    needs_trust: true,
    example: Some("permissions.admins = [\"group:default/platform\"]"),
    ..setting("permissions.admins", Kind::Words, None, "Users and groups that may change roles and policies.")
};

/// The role of everybody.
pub static PERMISSIONS_DEFAULT_ROLE: Setting = Setting {
    needs_trust: true,
    example: Some("permissions.default_role = \"role:default/everybody\""),
    ..setting("permissions.default_role", Kind::Text, None, "Role that every person has who is known.")
};

/// What the role of everybody may do.
pub static PERMISSIONS_DEFAULT: Setting = Setting {
    needs_trust: true,
    example: Some(
        "permissions.default_permissions = [\"catalog-entity read\", \"catalog.entity.create create\"]",
    ),
    ..setting(
        "permissions.default_permissions",
        Kind::Words,
        None,
        "What the role of everybody may do: a permission and its action, `use` when none is named.",
    )
};

/// How far parents of groups are followed.
pub static PERMISSIONS_MAX_DEPTH: Setting = Setting {
    needs_trust: true,
    example: Some("permissions.max_depth = 2"),
    ..setting(
        "permissions.max_depth",
        Kind::Number,
        None,
        "Levels of parent groups whose roles count; without it all do.",
    )
};

/// What comes first.
pub static PERMISSIONS_PRECEDENCE: Setting = Setting {
    needs_trust: true,
    ..setting(
        "permissions.precedence",
        Kind::Choice(&["conditional", "basic"]),
        Some("conditional"),
        "What decides first where a role has both: conditions or lines.",
    )
};

/// Equal lines.
pub static PERMISSIONS_LENIENT: Setting = Setting {
    needs_trust: true,
    ..setting(
        "permissions.lenient",
        Kind::Bool,
        Some("false"),
        "Keep one of several equal lines; Backstage keeps none.",
    )
};

/// Environments.
pub static ENV: Setting = Setting {
    example: Some(
        "[env.production]\ncontexts = [\"prod-*\", \"gke-live\"]\ncolour = \"red\"\nprotected = true",
    ),
    needs_trust: true,
    ..setting(
        "env",
        Kind::Sections,
        None,
        "Environments by name: which clusters they are, their colour, whether changes need an unlock.",
    )
};

/// Forges that templates publish to.
pub static INTEGRATION: Setting = Setting {
    example: Some(
        "[[integration]]\nhost = \"git.example.com\"\ntype = \"gitlab\"\napi = \"https://git.example.com/api/v4\"\ntoken = { env = \"GIT_EXAMPLE_TOKEN\" }",
    ),
    needs_trust: true,
    ..setting(
        "integration",
        Kind::Tables("integration"),
        None,
        "Forges that templates publish to, one table each, beside the public ones and those of the sources.",
    )
};

/// Templates that may run commands.
pub static TEMPLATES_TRUSTED: Setting = Setting {
    needs_trust: true,
    example: Some("templates.trusted = [\"template:default/rust-service\"]"),
    ..setting(
        "templates.trusted",
        Kind::Words,
        None,
        "Templates whose step `command:run` may start programs on this machine; without it none may.",
    )
};

/// Log lines in memory.
pub static LOGS_LINES: Setting = setting(
    "logs.lines",
    Kind::Number,
    Some("200000"),
    "Log lines of a stream that are kept in memory; older ones go to disk.",
);

/// Log bytes on disk.
pub static LOGS_DISK: Setting = setting(
    "logs.disk",
    Kind::Size,
    Some("512MiB"),
    "How much of a stream's older lines is kept on disk while it is open.",
);

/// No network.
pub static OFFLINE: Setting =
    setting("offline", Kind::Bool, Some("false"), "Never touch the network; show what is on this machine.");

/// The editor.
pub static EDITOR: Setting = Setting {
    example: Some("editor = \"hx\""),
    needs_trust: true,
    ..setting(
        "editor",
        Kind::Text,
        None,
        "Command that opens a file at a line; without it `$VISUAL`, then `$EDITOR`.",
    )
};

/// What goes to the log file.
pub static LOG_LEVEL: Setting = setting(
    "log.level",
    Kind::Choice(&["off", "error", "warn", "info", "debug", "trace"]),
    Some("info"),
    "How much is written to the log file in the state folder.",
);

/// Every setting, in the order of the documentation.
pub static ALL: &[&Setting] = &[
    &USER,
    &THEME,
    &EDITOR,
    &OFFLINE,
    &KEYMAP_PRESET,
    &UI_MOUSE,
    &UI_ASCII,
    &UI_BACKGROUND,
    &CATALOG_SOURCE,
    &CATALOG_MAX_FILE_SIZE,
    &CATALOG_RULES,
    &KUBERNETES_ENABLED,
    &KUBERNETES_CONTEXTS,
    &KUBERNETES_NAMESPACES,
    &KUBERNETES_API_VERSIONS,
    &KUBERNETES_SERVICE_LOCATOR,
    &KUBERNETES_CLUSTER,
    &KUBERNETES_CUSTOM_RESOURCE,
    &ALERTS_PROVIDER,
    &PERMISSIONS_ENABLED,
    &PERMISSIONS_POLICIES,
    &PERMISSIONS_CONDITIONS,
    &PERMISSIONS_SUPER_USERS,
    &PERMISSIONS_ADMINS,
    &PERMISSIONS_DEFAULT_ROLE,
    &PERMISSIONS_DEFAULT,
    &PERMISSIONS_MAX_DEPTH,
    &PERMISSIONS_PRECEDENCE,
    &PERMISSIONS_LENIENT,
    &ENV,
    &INTEGRATION,
    &TEMPLATES_TRUSTED,
    &LOGS_LINES,
    &LOGS_DISK,
    &HTTP_TIMEOUT,
    &HTTP_CONNECT_TIMEOUT,
    &LOG_LEVEL,
];

/// Finds a setting by its dotted name.
pub fn find(key: &str) -> Option<&'static Setting> {
    ALL.iter().copied().find(|setting| setting.key == key)
}

/// Why a value was refused: a short label for under the caret and a sentence that says what to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{label}")]
pub struct BadValue {
    /// Short words: `not a time span`.
    pub label: String,
    /// What to do.
    pub hint: String,
}

fn bad(label: impl Into<String>, hint: impl Into<String>) -> BadValue {
    BadValue { label: label.into(), hint: hint.into() }
}

impl Setting {
    /// Returns the variable that sets it: `DEVPORTAL_UI_MOUSE` for `ui.mouse`.
    pub fn variable(&self) -> String {
        format!("DEVPORTAL_{}", self.key.to_uppercase().replace('.', "_"))
    }

    /// Returns the built-in value.
    pub fn built_in(&self) -> Value {
        self.default.and_then(|text| self.parse(text).ok()).unwrap_or(Value::None)
    }

    /// Reads the value from text: a variable, a flag or the input line of the Settings pane.
    pub fn parse(&self, text: &str) -> Result<Value, BadValue> {
        let text = text.trim();
        let list = || text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned);
        match self.kind {
            Kind::Text => Ok(Value::Text(text.to_owned())),
            Kind::Choice(words) => choice(text, words),
            Kind::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok(Value::Bool(true)),
                "false" | "0" | "no" | "off" => Ok(Value::Bool(false)),
                _ => Err(bad("neither true nor false", "write `true` or `false`")),
            },
            Kind::Duration => parse_duration(text).map(Value::Duration),
            Kind::Size => parse_size(text).map(Value::Size),
            Kind::Words => Ok(Value::Words(list().collect())),
            Kind::Tables(_) => Ok(Value::Tables(list().map(toml::Value::String).collect())),
            Kind::Sections => Err(bad("cannot be a text", "write it into `config.toml`")),
            Kind::Number => {
                let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',')).collect();
                digits
                    .parse()
                    .map(Value::Number)
                    .map_err(|_| bad("not a whole number", "write digits: `200000`"))
            }
        }
    }

    /// Reads the value from a TOML value.
    pub fn decode(&self, value: &toml::Value) -> Result<Value, BadValue> {
        match (self.kind, value) {
            (Kind::Text | Kind::Choice(_) | Kind::Duration | Kind::Size, toml::Value::String(text)) => {
                self.parse(text)
            }
            (Kind::Bool, toml::Value::Boolean(flag)) => Ok(Value::Bool(*flag)),
            (Kind::Size, toml::Value::Integer(bytes)) => u64::try_from(*bytes)
                .map(Value::Size)
                .map_err(|_| bad("negative", "write a size such as `\"5MB\"`")),
            (Kind::Words, toml::Value::Array(items)) => items
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect::<Option<Vec<_>>>()
                .map(Value::Words)
                .ok_or_else(|| bad("not a list of texts", "write a list such as `[\"a\", \"b\"]`")),
            (Kind::Tables(_), toml::Value::Array(items)) => Ok(Value::Tables(items.clone())),
            (Kind::Sections, toml::Value::Table(table)) if table.values().all(toml::Value::is_table) => {
                Ok(Value::Sections(table.clone()))
            }
            (Kind::Number, toml::Value::Integer(number)) => u64::try_from(*number)
                .map(Value::Number)
                .map_err(|_| bad("negative", "write a number of zero or more")),
            (kind, value) => Err(bad(
                format!("expected {}, found {}", kind.words(), toml_words(value)),
                format!("for example `{}`", self.example_line()),
            )),
        }
    }

    /// Returns a line for `config.toml` that sets it.
    pub fn example_line(&self) -> String {
        if let Some(example) = self.example {
            return example.to_owned();
        }
        format!("{} = {}", self.key, self.built_in().to_toml())
    }
}

impl Kind {
    /// Returns whether it is written as tables, by hand and at the end of the file.
    pub fn is_tables(self) -> bool {
        matches!(self, Self::Tables(_) | Self::Sections)
    }

    /// Returns what it takes, in words.
    pub fn words(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Choice(words) => {
                words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
            }
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Duration => "a time span such as `\"30s\"`".to_owned(),
            Self::Size => "a size such as `\"5MB\"`".to_owned(),
            Self::Words => "a list of texts".to_owned(),
            Self::Tables(what) => format!("a list of tables, one for each {what}"),
            Self::Sections => "tables by name".to_owned(),
            Self::Number => "a whole number".to_owned(),
        }
    }
}

fn toml_words(value: &toml::Value) -> &'static str {
    match value {
        toml::Value::String(_) => "text",
        toml::Value::Integer(_) | toml::Value::Float(_) => "a number",
        toml::Value::Boolean(_) => "`true` or `false`",
        toml::Value::Datetime(_) => "a date",
        toml::Value::Array(_) => "a list",
        toml::Value::Table(_) => "a table",
    }
}

fn choice(text: &str, words: &'static [&'static str]) -> Result<Value, BadValue> {
    if let Some(word) = words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
        return Ok(Value::Text((*word).to_owned()));
    }
    let near = crate::model::text::nearest(text, words.iter().copied());
    let all = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let hint = match near.first() {
        Some(near) => format!("did you mean `{near}`? known are {all}"),
        None => format!("use one of {all}"),
    };
    Err(bad("not known", hint))
}

/// Reads `500ms`, `30s`, `10m`, `2h`, `1d`; a bare number counts seconds.
pub fn parse_duration(text: &str) -> Result<Duration, BadValue> {
    let wrong = || bad("not a time span", "write a number and a unit: `500ms`, `30s`, `10m`, `2h`, `1d`");
    let (number, unit) = split_unit(text).ok_or_else(wrong)?;
    let millis = match unit.as_str() {
        "ms" => 1.0,
        "" | "s" => 1e3,
        "m" | "min" => 60e3,
        "h" => 3_600e3,
        "d" => 86_400e3,
        _ => return Err(wrong()),
    };
    let seconds = number * millis / 1e3;
    // A year: longer waits are slips of the pen, and far larger ones would overflow a clock
    if seconds > 366.0 * 86_400.0 {
        return Err(bad("longer than a year", "write a shorter time span"));
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| wrong())
}

/// Reads `5MB`, `512 kB`, `2MiB`; a bare number counts bytes.
pub fn parse_size(text: &str) -> Result<u64, BadValue> {
    let wrong = || bad("not a size", "write a number and a unit: `512kB`, `5MB`, `1GB`");
    let (number, unit) = split_unit(text).ok_or_else(wrong)?;
    let factor = match unit.as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        "kib" => 1024.0,
        "mib" => 1_048_576.0,
        "gib" => 1_073_741_824.0,
        _ => return Err(wrong()),
    };
    let bytes = number * factor;
    if bytes > 1e15 {
        return Err(bad("larger than any disk", "write a smaller size"));
    }
    Ok(bytes as u64)
}

/// Splits `30s` into its number (finite, not negative) and its unit in lower case.
fn split_unit(text: &str) -> Option<(f64, String)> {
    let text = text.trim();
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text.get(..at)?.parse().ok()?;
    (number.is_finite() && number >= 0.0).then(|| (number, text[at..].trim().to_lowercase()))
}

impl Value {
    /// Returns the value as it is written in TOML.
    pub fn to_toml(&self) -> String {
        self.to_toml_value().map_or_else(|| "(not set)".to_owned(), |value| value.to_string())
    }

    /// Returns the TOML value; `None` where nothing is set.
    pub fn to_toml_value(&self) -> Option<toml::Value> {
        Some(match self {
            Self::None => return None,
            Self::Text(text) => toml::Value::String(text.clone()),
            Self::Bool(flag) => toml::Value::Boolean(*flag),
            Self::Duration(span) => toml::Value::String(duration_text(*span)),
            Self::Size(bytes) => toml::Value::String(size_text(*bytes)),
            Self::Words(words) => {
                toml::Value::Array(words.iter().cloned().map(toml::Value::String).collect())
            }
            Self::Tables(items) => toml::Value::Array(items.clone()),
            Self::Sections(table) => toml::Value::Table(table.clone()),
            Self::Number(number) => toml::Value::Integer(i64::try_from(*number).unwrap_or(i64::MAX)),
        })
    }

    /// Returns the value as scripts read it: time spans in seconds, sizes in bytes.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::None => serde_json::Value::Null,
            Self::Text(text) => text.as_str().into(),
            Self::Bool(flag) => (*flag).into(),
            Self::Duration(span) => serde_json::json!(span.as_secs_f64()),
            Self::Size(bytes) => (*bytes).into(),
            Self::Words(words) => words.clone().into(),
            Self::Tables(items) => serde_json::to_value(items).unwrap_or_default(),
            Self::Sections(table) => serde_json::to_value(table).unwrap_or_default(),
            Self::Number(number) => (*number).into(),
        }
    }

    /// Returns the value for people: without quotes.
    pub fn to_text(&self) -> String {
        match self {
            Self::None => String::new(),
            Self::Text(text) => text.clone(),
            Self::Words(words) => words.join(", "),
            Self::Tables(items) => items.len().to_string(),
            Self::Sections(table) => table.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
            Self::Number(number) => number.to_string(),
            Self::Bool(_) | Self::Duration(_) | Self::Size(_) => self.to_toml().trim_matches('"').to_owned(),
        }
    }
}

fn duration_text(span: Duration) -> String {
    let millis = span.as_millis();
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let whole = units.iter().find(|(unit, _)| millis >= *unit && millis.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{millis}ms"), |(unit, name)| format!("{}{name}", millis / unit))
}

fn size_text(bytes: u64) -> String {
    let units = [(1 << 20, "MiB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1_000, "kB")];
    let whole = units.iter().find(|(unit, _)| bytes >= *unit && bytes.is_multiple_of(*unit));
    whole.map_or_else(|| bytes.to_string(), |(unit, name)| format!("{}{name}", bytes / unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_sound() {
        let mut keys: Vec<&str> = ALL.iter().map(|setting| setting.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), ALL.len(), "a key is listed twice");
        for setting in ALL {
            if let Some(default) = setting.default {
                assert!(setting.parse(default).is_ok(), "{}: default {default}", setting.key);
            }
            let example: toml::Table = setting.example_line().parse().unwrap();
            let value =
                setting.key.split('.').try_fold(&toml::Value::Table(example), |v, part| v.get(part)).cloned();
            assert!(setting.decode(&value.expect(setting.key)).is_ok(), "{}: example", setting.key);
            assert!(setting.help.ends_with('.'), "{}: help is a sentence", setting.key);
        }
    }

    #[test]
    fn every_setting_is_listed() {
        let rows = include_str!("setting.rs").matches("\npub static ").count() - 1;
        assert_eq!(rows, ALL.len(), "a row is not named in ALL");
    }

    #[test]
    fn reads_spans_and_sizes_and_writes_them_back() {
        let span = |text| parse_duration(text).map(duration_text).ok();
        assert_eq!(span("30s").as_deref(), Some("30s"));
        assert_eq!(span("90").as_deref(), Some("90s"));
        assert_eq!(span("120s").as_deref(), Some("2m"));
        assert_eq!(span("1.5s").as_deref(), Some("1500ms"));
        for text in ["", "s", "-1s", "3 parsecs", "1e9d", "99999999999999999999h", "NaN"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
        assert_eq!(parse_size("5MB"), Ok(5_000_000));
        assert_eq!(parse_size("2 MiB"), Ok(2_097_152));
        assert_eq!(size_text(5_000_000), "5MB");
        assert_eq!(size_text(8 << 20), "8MiB");
        assert_eq!(size_text(1_234_567), "1234567");
        for text in ["", "MB", "-1", "5 potatoes", "9e99"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_wrong_word_names_the_near_one() {
        let error = KEYMAP_PRESET.parse("vi").unwrap_err();
        assert!(error.hint.contains("`vim`"), "{}", error.hint);
        let error = UI_MOUSE.decode(&toml::Value::String("yes".into())).unwrap_err();
        assert_eq!(error.label, "expected `true` or `false`, found text");
    }
}
