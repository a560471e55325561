//! The little shell inside every container: enough to look around.

use std::collections::BTreeMap;

/// Where a shell runs.
#[derive(Debug, Clone)]
pub struct Shell {
    /// Name of the pod.
    pub pod: String,
    /// Name of the service.
    pub app: String,
    /// Variables.
    pub env: BTreeMap<String, String>,
    /// Current folder.
    pub folder: String,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What the container uses: thousandths of a core, MiB.
    pub usage: (i64, i64),
    /// Time, as `date` shows it.
    pub date: String,
    /// There is no shell and no tool in the image.
    pub is_bare: bool,
}

/// What a command gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Output {
    /// To standard output.
    pub out: String,
    /// To standard error.
    pub err: String,
    /// Exit code.
    pub code: i32,
    /// The shell ends.
    pub is_exit: bool,
    /// So many seconds pass before it ends.
    pub sleep: f64,
}

impl Output {
    fn out(text: impl Into<String>) -> Self {
        Self { out: text.into(), ..Self::default() }
    }

    fn fail(code: i32, text: impl Into<String>) -> Self {
        Self { err: text.into(), code, ..Self::default() }
    }
}

const FILES: &[(&str, &str)] = &[
    ("/etc/hostname", "{pod}\n"),
    ("/etc/os-release", "PRETTY_NAME=\"Debian GNU/Linux 13 (trixie)\"\nID=debian\n"),
    ("/etc/app/config.yaml", "service: {app}\nport: 8080\nlog: info\ndatabase:\n  pool: 12\n"),
    ("/app/VERSION", "{app}\n"),
    ("/app/run.sh", "#!/bin/sh\nexec /app/server --config /etc/app/config.yaml\n"),
    ("/app/server", "\u{7f}ELF"),
    ("/tmp/health", "ok\n"),
    ("/proc/loadavg", "0.42 0.37 0.35 2/118 4711\n"),
];

/// Names a shell is started by.
pub fn is_shell(command: &str) -> bool {
    matches!(command, "sh" | "/bin/sh" | "ash" | "/bin/ash")
}

/// Commands there are.
const COMMANDS: &[&str] = &[
    "cat", "cd", "clear", "date", "echo", "env", "exit", "false", "help", "hostname", "id", "ls", "ps",
    "pwd", "sh", "sleep", "stty", "top", "true", "uname", "whoami",
];

impl Shell {
    /// Returns whether a command can be started at all.
    pub fn knows(&self, command: &str) -> bool {
        !self.is_bare
            && (is_shell(command) || COMMANDS.contains(&command.rsplit('/').next().unwrap_or(command)))
    }

    /// Returns what stands before the place to type.
    pub fn prompt(&self) -> String {
        format!("{} # ", self.folder)
    }

    /// Runs a line: commands joined by `;`, `&&`, `||`.
    pub fn line(&mut self, line: &str) -> Output {
        let mut all = Output::default();
        let mut rest = line.trim();
        let mut goes = true;
        while !rest.is_empty() {
            let found =
                ["&&", "||", ";"].iter().filter_map(|sign| rest.find(sign).map(|at| (at, *sign))).min();
            let (command, sign, behind) = match found {
                Some((at, sign)) => (
                    rest.get(..at).unwrap_or_default(),
                    sign,
                    rest.get(at + sign.len()..).unwrap_or_default(),
                ),
                None => (rest, ";", ""),
            };
            if goes {
                let one = self.words(command.trim());
                all.out.push_str(&one.out);
                all.err.push_str(&one.err);
                all.sleep += one.sleep;
                all.code = one.code;
                if one.is_exit {
                    all.is_exit = true;
                    return all;
                }
            }
            goes = match sign {
                "&&" => goes && all.code == 0,
                "||" => all.code != 0,
                _ => true,
            };
            rest = behind.trim();
        }
        all
    }

    fn words(&mut self, command: &str) -> Output {
        let words = split(command, &self.env);
        self.run(&words)
    }

    /// Runs a command with its arguments.
    pub fn run(&mut self, words: &[String]) -> Output {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let Some((command, arguments)) = words.split_first() else { return Output::default() };
        let command = command.rsplit('/').next().unwrap_or(command);
        match (command, arguments) {
            ("sh" | "ash", ["-c", line, ..]) => {
                let mut output = self.line(line);
                output.is_exit = false;
                output
            }
            ("echo", ["-n", rest @ ..]) => Output::out(rest.join(" ")),
            ("echo", rest) => Output::out(rest.join(" ") + "\n"),
            ("pwd", _) => Output::out(format!("{}\n", self.folder)),
            ("cd", rest) => self.change_folder(rest.first().copied().unwrap_or("/")),
            ("ls", rest) => self.list(rest),
            ("cat", rest) => self.cat(rest),
            ("env", _) => Output::out(
                self.env.iter().map(|(key, value)| format!("{key}={value}\n")).collect::<String>(),
            ),
            ("hostname", _) => Output::out(format!("{}\n", self.pod)),
            ("whoami", _) => Output::out("app\n"),
            ("id", _) => Output::out("uid=1000(app) gid=1000(app) groups=1000(app)\n"),
            ("uname", _) => Output::out("Linux\n"),
            ("date", _) => Output::out(format!("{}\n", self.date)),
            ("ps", _) => Output::out(
                "  PID USER  COMMAND\n    1 app   /app/server --config /etc/app/config.yaml\n   37 app   sh\n",
            ),
            ("top", _) => Output::out(self.top()),
            ("stty", ["size"]) => Output::out(format!("{} {}\n", self.size.1, self.size.0)),
            ("stty" | "true", _) => Output::default(),
            ("clear", _) => Output::out("\u{1b}[H\u{1b}[2J"),
            ("false", _) => Output { code: 1, ..Output::default() },
            ("sleep", [seconds, ..]) => Output {
                sleep: seconds.parse::<f64>().unwrap_or(0.0).clamp(0.0, 3600.0),
                ..Output::default()
            },
            ("exit", rest) => {
                let code = rest.first().and_then(|code| code.parse().ok()).unwrap_or(0);
                Output { code, is_exit: true, ..Output::default() }
            }
            ("help", _) => Output::out(COMMANDS.join(" ") + "\n"),
            (other, _) => Output::fail(127, format!("sh: {other}: not found\n")),
        }
    }

    /// Returns a screen of `top`.
    pub fn top(&self) -> String {
        let (cpu, memory) = self.usage;
        format!(
            "Mem: {memory}M used\nCPU: {}% usr\nLoad average: 0.42 0.37 0.35 2/118 4711\n  PID USER  STAT  VSZ  CPU COMMAND\n    \
             1 app   S    {memory}M  {}% /app/server --config /etc/app/config.yaml\n",
            cpu / 10,
            cpu / 10
        )
    }

    fn path(&self, path: &str) -> String {
        let full = if path.starts_with('/') { path.to_owned() } else { format!("{}/{path}", self.folder) };
        let mut parts: Vec<&str> = Vec::new();
        for part in full.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        format!("/{}", parts.join("/"))
    }

    fn change_folder(&mut self, to: &str) -> Output {
        let path = self.path(to);
        let prefix = if path == "/" { path.clone() } else { format!("{path}/") };
        if FILES.iter().any(|(file, _)| file.starts_with(&prefix)) {
            self.folder = path;
            return Output::default();
        }
        Output::fail(2, format!("sh: cd: can't cd to {to}: No such file or directory\n"))
    }

    fn list(&self, arguments: &[&str]) -> Output {
        let is_long = arguments.iter().any(|argument| argument.starts_with('-') && argument.contains('l'));
        let place = arguments.iter().find(|argument| !argument.starts_with('-')).copied().unwrap_or(".");
        let path = self.path(place);
        let prefix = if path == "/" { path.clone() } else { format!("{path}/") };
        let mut names: Vec<&str> = FILES
            .iter()
            .filter_map(|(file, _)| file.strip_prefix(prefix.as_str()))
            .map(|rest| rest.split('/').next().unwrap_or(rest))
            .collect();
        names.sort_unstable();
        names.dedup();
        if FILES.iter().any(|(file, _)| *file == path) {
            names = vec![place];
        }
        if names.is_empty() {
            return Output::fail(1, format!("ls: {place}: No such file or directory\n"));
        }
        let line = |name: &str| {
            if is_long {
                format!("-rw-r--r--    1 app      app           512 Nov 20 09:12 {name}\n")
            } else {
                format!("{name}\n")
            }
        };
        Output::out(names.into_iter().map(line).collect::<String>())
    }

    fn cat(&self, files: &[&str]) -> Output {
        let mut output = Output::default();
        for file in files {
            let path = self.path(file);
            match FILES.iter().find(|(known, _)| *known == path) {
                Some((_, text)) => {
                    output.out.push_str(&text.replace("{pod}", &self.pod).replace("{app}", &self.app));
                }
                None => {
                    output.err.push_str(&format!("cat: can't open '{file}': No such file or directory\n"));
                    output.code = 1;
                }
            }
        }
        output
    }
}

/// Splits a command into words: quotes hold together, `$NAME` is put in.
fn split(command: &str, env: &BTreeMap<String, String>) -> Vec<String> {
    let (mut words, mut word, mut quote, mut is_word) = (Vec::new(), String::new(), None, false);
    let mut chars = command.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\'' | '"', None) => (quote, is_word) = (Some(char), true),
            (char, Some(open)) if char == open => quote = None,
            ('$', None | Some('"')) => {
                let mut name = String::new();
                while let Some(next) = chars.next_if(|next| next.is_ascii_alphanumeric() || *next == '_') {
                    name.push(next);
                }
                word.push_str(env.get(&name).map_or("", String::as_str));
                is_word = true;
            }
            (char, None) if char.is_whitespace() => {
                if is_word {
                    words.push(std::mem::take(&mut word));
                }
                is_word = false;
            }
            (char, _) => {
                word.push(char);
                is_word = true;
            }
        }
    }
    if is_word {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> Shell {
        Shell {
            pod: "web-1".to_owned(),
            app: "web".to_owned(),
            env: BTreeMap::from([("PORT".to_owned(), "8080".to_owned())]),
            folder: "/app".to_owned(),
            size: (80, 24),
            usage: (120, 64),
            date: String::new(),
            is_bare: false,
        }
    }

    #[test]
    fn lines_do_what_they_say() {
        for (line, out, code) in [
            ("echo a  'b  c' $PORT", "a b  c 8080\n", 0),
            ("cat /etc/hostname && echo yes", "web-1\nyes\n", 0),
            ("false && echo no", "", 1),
            ("false || echo yes", "yes\n", 0),
            ("cd /etc; pwd", "/etc\n", 0),
            ("frob", "", 127),
            ("stty size", "24 80\n", 0),
            ("sh -c 'echo in; exit 3'", "in\n", 3),
        ] {
            let output = shell().line(line);
            assert_eq!((output.out.as_str(), output.code), (out, code), "{line}");
        }
        assert!(shell().line("exit 4").is_exit);
    }
}
