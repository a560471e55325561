//! Where things live on this machine.
//!
//! Linux and macOS alike follow the XDG rules (`~/.config/devportal`, `~/.local/state/devportal`,
//! `~/.cache/devportal`); Windows uses `%APPDATA%` and `%LOCALAPPDATA%`. `DEVPORTAL_CONFIG_DIR`,
//! `DEVPORTAL_STATE_DIR` and `DEVPORTAL_CACHE_DIR` win over all. Nothing is created here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Name of the settings file in the user's and the system's folder.
pub const CONFIG_FILE: &str = "config.toml";

/// Name of the settings file of a project.
pub const PROJECT_FILE: &str = ".devportal.toml";

/// The folders of one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Holds `config.toml`, `keys.toml`, `aliases.toml`, `views.toml`, `themes/`.
    pub config: PathBuf,
    /// Stars, history, trust, the log.
    pub state: PathBuf,
    /// What can be fetched again.
    pub cache: PathBuf,
    /// The system's folder; holds `config.toml`.
    pub system: PathBuf,
    /// The home folder, if the machine knows one.
    pub home: Option<PathBuf>,
}

impl Paths {
    /// Returns the folders for the environment of this process.
    pub fn from_environment() -> Self {
        Self::new(&|name| std::env::var_os(name))
    }

    /// Returns the folders for an environment given as a function from name to value.
    pub fn new(variable: &dyn Fn(&str) -> Option<OsString>) -> Self {
        let base = directories::BaseDirs::new();
        let home = variable("HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| base.as_ref().map(|base| base.home_dir().to_owned()));
        let place = |own: &str, xdg: &str, below_home: &str, windows: Option<&Path>, sub: &str| {
            let absolute = |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
            if let Some(path) = absolute(own) {
                return path;
            }
            if cfg!(windows) {
                return windows.map_or_else(nowhere, |base| base.join("devportal").join(sub));
            }
            let folder = absolute(xdg).or_else(|| home.as_ref().map(|home| home.join(below_home)));
            folder.map_or_else(nowhere, |folder| folder.join("devportal"))
        };
        let local = base.as_ref().map(directories::BaseDirs::data_local_dir);
        Self {
            config: place(
                "DEVPORTAL_CONFIG_DIR",
                "XDG_CONFIG_HOME",
                ".config",
                base.as_ref().map(directories::BaseDirs::config_dir),
                "",
            ),
            state: place("DEVPORTAL_STATE_DIR", "XDG_STATE_HOME", ".local/state", local, "state"),
            cache: place("DEVPORTAL_CACHE_DIR", "XDG_CACHE_HOME", ".cache", local, "cache"),
            system: system_folder(variable),
            home,
        }
    }

    /// Returns the user's settings file.
    pub fn config_file(&self) -> PathBuf {
        self.config.join(CONFIG_FILE)
    }

    /// Returns the system's settings file.
    pub fn system_file(&self) -> PathBuf {
        self.system.join(CONFIG_FILE)
    }

    /// Returns the file with the user's key bindings.
    pub fn keys_file(&self) -> PathBuf {
        self.config.join("keys.toml")
    }

    /// Returns the file with the user's aliases.
    pub fn aliases_file(&self) -> PathBuf {
        self.config.join("aliases.toml")
    }

    /// Returns the file with the user's named views.
    pub fn views_file(&self) -> PathBuf {
        self.config.join("views.toml")
    }

    /// Returns the folder with the user's themes.
    pub fn themes(&self) -> PathBuf {
        self.config.join("themes")
    }

    /// Returns the log file.
    pub fn log_file(&self) -> PathBuf {
        self.state.join("devportal.log")
    }

    /// Returns every place with a word for it, in the order people look for them.
    pub fn all(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("config", self.config_file()),
            ("keys", self.keys_file()),
            ("aliases", self.aliases_file()),
            ("views", self.views_file()),
            ("themes", self.themes()),
            ("system", self.system_file()),
            ("state", self.state.clone()),
            ("cache", self.cache.clone()),
            ("log", self.log_file()),
        ]
    }
}

/// Without a home nothing is found and nothing can be written; a shared temporary folder would let
/// other users plant settings.
fn nowhere() -> PathBuf {
    PathBuf::from("/nonexistent/devportal")
}

fn system_folder(variable: &dyn Fn(&str) -> Option<OsString>) -> PathBuf {
    if cfg!(windows) {
        variable("PROGRAMDATA").map_or_else(nowhere, PathBuf::from).join("devportal")
    } else {
        PathBuf::from("/etc/devportal")
    }
}

/// Finds the project's settings file: in `start` or the nearest folder above it that has one, not
/// beyond the root of the repository `start` lies in; outside a repository only in `start`.
pub fn find_project_file(start: &Path) -> Option<PathBuf> {
    let is_root = |folder: &Path| folder.join(".git").exists();
    let bound = start.ancestors().find(|folder| is_root(folder)).unwrap_or(start);
    start
        .ancestors()
        .take_while(|folder| folder.starts_with(bound))
        .map(|folder| folder.join(PROJECT_FILE))
        .find(|file| file.symlink_metadata().is_ok())
}

#[cfg(test)]
#[cfg(not(windows))]
mod tests {
    use super::*;

    fn paths(pairs: &[(&str, &str)]) -> Paths {
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Paths::new(&move |name| pairs.iter().find(|(k, _)| k == name).map(|(_, v)| OsString::from(v)))
    }

    #[test]
    fn follows_home_then_xdg_then_own_variable() {
        let home = paths(&[("HOME", "/home/ana")]);
        assert_eq!(home.config_file(), Path::new("/home/ana/.config/devportal/config.toml"));
        assert_eq!(home.state, Path::new("/home/ana/.local/state/devportal"));
        assert_eq!(home.cache, Path::new("/home/ana/.cache/devportal"));
        let xdg = paths(&[("HOME", "/home/ana"), ("XDG_CONFIG_HOME", "/x"), ("XDG_CACHE_HOME", "relative")]);
        assert_eq!(xdg.config, Path::new("/x/devportal"));
        assert_eq!(xdg.cache, Path::new("/home/ana/.cache/devportal"), "relative values do not count");
        let own = paths(&[("HOME", "/home/ana"), ("XDG_CONFIG_HOME", "/x"), ("DEVPORTAL_CONFIG_DIR", "/d")]);
        assert_eq!(own.config, Path::new("/d"));
    }

    #[test]
    fn project_file_is_not_looked_for_beyond_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("repo/a/b");
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(folder.path().join(PROJECT_FILE), "").unwrap();
        assert_eq!(find_project_file(&deep), None, "no repository: only the folder itself");
        std::fs::create_dir(folder.path().join("repo/.git")).unwrap();
        assert_eq!(find_project_file(&deep), None, "above the repository");
        let file = folder.path().join("repo").join(PROJECT_FILE);
        std::fs::write(&file, "").unwrap();
        assert_eq!(find_project_file(&deep), Some(file));
    }
}
