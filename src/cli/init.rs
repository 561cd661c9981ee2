//! `gigawatt init`: a scenario to begin with, from four answers.

mod text;

use super::Exit;
use super::arguments::Init;
use super::list::unknown;
use super::terminal::Terminal;
use crate::error::{Error, Place, Problem, Result};
use crate::hardware::{Catalogue, Platform};
use crate::history::Settings;
use crate::report::lines::fitted;
use crate::report::write_file;
use crate::scenario::text::path_from;
use crate::scenario::{Overrides, SCHEMAS, Scenario, apply_policy};
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// The answers.
#[derive(Debug, Clone)]
struct Answers {
    platform: Platform,
    racks: u32,
    workload: Option<String>,
    policy: String,
}

/// The schema beside the scenario.
const SCHEMA_FILE: &str = "gigawatt.schema.json";
/// The policy that nobody asks for.
const POLICY: &str = "easy";

/// Asks what is not said, and writes the scenario.
pub(super) fn run(arguments: &Init, terminal: Terminal) -> Result<Exit> {
    let file = (arguments.file != Path::new("-")).then_some(arguments.file.as_path());
    let schema = schema(arguments, file)?;
    is_free(arguments, file)?;
    let text = ask(arguments, terminal)?;
    let Some(file) = file else {
        terminal.print(&text)?;
        return Ok(Exit::Done);
    };
    write_file(file, |out| out.write_all(text.as_bytes()))?;
    if let Some((path, schema)) = schema {
        write_file(&path, |out| out.write_all(schema.as_bytes()))?;
    }
    terminal.print_text(&format!(
        "{}: `gigawatt check {0}` looks at it, `gigawatt simulate {0}` runs it\n",
        file.display()
    ))?;
    Ok(Exit::Done)
}

/// The schema and where it goes, if it is wanted.
fn schema(arguments: &Init, file: Option<&Path>) -> Result<Option<(PathBuf, String)>> {
    if !arguments.schema {
        return Ok(None);
    }
    let Some(file) = file else {
        let problem = Problem::new("`--schema` goes beside a file, and `-` is none");
        return Err(problem.hint("`gigawatt schema scenario` prints it").into());
    };
    let (path, text) = (file.with_file_name(SCHEMA_FILE), format!("{:#}\n", SCHEMAS[0].json()));
    let is_other = std::fs::read(&path).is_ok_and(|there| there != text.as_bytes());
    if is_other && !arguments.force {
        return Err(occupied(&path).into());
    }
    Ok(Some((path, text)))
}

/// Whether the file can be written: better told before a question than after the last one.
fn is_free(arguments: &Init, file: Option<&Path>) -> Result<()> {
    let Some(file) = file else {
        let problem = || Problem::new("`--force` replaces a file, and `-` is none");
        return if arguments.force { Err(problem().into()) } else { Ok(()) };
    };
    if file.is_dir() {
        let problem = Problem::new("it is a folder").at(Place::file(file.display().to_string()));
        return Err(problem.hint(format!("name a file: `{}`", file.join("scenario.toml").display())).into());
    }
    if file.exists() && !arguments.force {
        return Err(occupied(file).into());
    }
    match file.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        Some(folder) => {
            Err(Problem::new("there is no such folder").at(Place::file(folder.display().to_string())).into())
        }
        None => Ok(()),
    }
}

fn occupied(file: &Path) -> Problem {
    let problem = Problem::new("the file is there already").at(Place::file(file.display().to_string()));
    problem.hint("`--force` replaces it; another name keeps it")
}

/// The scenario of what the options say, else what somebody at the terminal says, else what is usual; it can be run.
fn ask(arguments: &Init, terminal: Terminal) -> Result<String> {
    let asker = Asker { terminal, is_there: io::stdin().is_terminal() && io::stderr().is_terminal() };
    let schema = arguments.schema.then_some(SCHEMA_FILE);
    let tried = |answers: &Answers| -> Result<String> {
        let text = text::scenario(answers, schema)?;
        Scenario::from_text(&arguments.file.display().to_string(), &text, &Overrides::default())?;
        Ok(text)
    };
    let platform = asker.ask(
        arguments.platform.as_deref(),
        "Which GPUs? (`gigawatt list platforms`)",
        "gb300",
        platform,
    )?;
    let racks = arguments.racks.map(|racks| racks.to_string());
    let racks = asker.ask(racks.as_deref(), "How many racks of them?", "4", racks_of)?;
    let usual = Answers { platform, racks, workload: None, policy: POLICY.to_owned() };
    let question = "Which jobs? The path of a trace, or nothing: some are generated";
    let with_jobs = asker.ask(arguments.workload.as_deref(), question, "", |path| {
        let workload = (!path.is_empty()).then(|| path_from(&arguments.file, path));
        let answers = Answers { workload, ..usual.clone() };
        tried(&answers)?;
        Ok(answers)
    })?;
    let question = "Which jobs go first? (`gigawatt list policies`)";
    asker.ask(arguments.policy.as_deref(), question, POLICY, |policy| {
        // An unknown name is told without a place: the file is not there yet.
        apply_policy(&mut Settings::default(), policy).map_err(|problem| *problem)?;
        tried(&Answers { policy: policy.to_owned(), ..with_jobs.clone() })
    })
}

fn platform(name: &str) -> Result<Platform> {
    let catalogue = Catalogue::embedded();
    let known = catalogue.get(name).cloned();
    known.ok_or_else(|| unknown("platform", name, catalogue.names()).into())
}

/// Racks that are neither none nor more than any site has.
fn racks_of(text: &str) -> Result<u32> {
    let racks = text.parse().ok().filter(|racks| (1..=10_000).contains(racks));
    let problem = || Problem::new(format!("expected a number of racks from 1 to 10000, found `{text}`"));
    racks.ok_or_else(|| problem().into())
}

/// Whoever answers.
#[derive(Debug, Clone, Copy)]
struct Asker {
    terminal: Terminal,
    /// Whether somebody is at the terminal.
    is_there: bool,
}

impl Asker {
    /// What is said in advance, what somebody answers, or what is usual; an answer that is wrong is asked for again.
    fn ask<T>(
        self,
        given: Option<&str>,
        question: &str,
        usual: &str,
        take: impl Fn(&str) -> Result<T>,
    ) -> Result<T> {
        if given.is_some() || !self.is_there {
            return take(given.unwrap_or(usual));
        }
        loop {
            match take(&self.answer(question, usual)?) {
                Ok(taken) => return Ok(taken),
                Err(error) => self.terminal.say(&fitted(&why(&error), self.terminal.width)),
            }
        }
    }

    /// What somebody answers, or what is usual if that is nothing.
    fn answer(self, question: &str, usual: &str) -> Result<String> {
        let talk = |source| Error::io("read", Path::new("stdin"), source);
        let usual_told = if usual.is_empty() { String::new() } else { format!(" [{usual}]") };
        let question = fitted(&format!("{question}{usual_told}"), self.terminal.width);
        let mut stderr = io::stderr().lock();
        write!(stderr, "{} ", question.trim_end()).and_then(|()| stderr.flush()).map_err(talk)?;
        let mut line = String::new();
        if io::stdin().lock().read_line(&mut line).map_err(talk)? == 0 {
            // The answer that did not come has left the cursor behind the question.
            writeln!(stderr).map_err(talk)?;
            let problem = Problem::new("the answers ended before the questions: nothing is written");
            return Err(problem.hint("options answer in advance: see `gigawatt init --help`").into());
        }
        let answer = line.trim();
        Ok(if answer.is_empty() { usual } else { answer }.to_owned())
    }
}

/// What is wrong with an answer: of a problem in the scenario to come no place, which nobody could look at yet.
fn why(error: &Error) -> String {
    let Error::Input(problems) = error else { return format!("error: {error}") };
    let told = problems.kept().iter().map(|problem| {
        let hint = problem.advice().map(|hint| format!("; {hint}")).unwrap_or_default();
        format!("error: {}{hint}", problem.message())
    });
    told.collect::<Vec<_>>().join("\n")
}
