//! Pieces of scenarios as files have them, with their comments: what `gigawatt init` and `gigawatt import` write.

use std::path::Path;

/// How much of the GPUs' time generated jobs ask for.
const LOAD: f64 = 0.9;

/// What a file begins with, below who wrote it.
pub(crate) const HEAD: &str = "Every key is optional unless it says `must`; a time is `90s`, `45m`, `6h`,\n\
     # `2d` or a number of seconds. `gigawatt check FILE` says everything that is wrong at once.\n\
     version = 1\n";

/// What `[run]` may say.
pub(crate) const RUN: &str = "\
     seed = 1                        # of every random number; any key can be changed with --set run.seed=7\n\
     # until = \"7d\"                  # cut the run off; without it, it lasts until no job is left\n\
     # warm_up = \"1d\"                # metrics leave out jobs submitted before\n";

/// A text between quotes, as TOML has it.
pub(crate) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A line with a comment behind it, where those of the other lines begin.
pub(crate) fn commented(line: &str, comment: &str) -> String {
    if comment.is_empty() { format!("{line}\n") } else { format!("{line:<31} # {comment}\n") }
}

/// A path of the command line as a scenario in that file has it: paths of a scenario count from its own folder.
pub(crate) fn path_from(file: &Path, path: &str) -> String {
    let is_here = file.parent().is_none_or(|folder| folder.as_os_str().is_empty());
    if is_here {
        return path.to_owned();
    }
    std::path::absolute(path).map_or_else(|_| path.to_owned(), |absolute| absolute.display().to_string())
}

/// The jobs of a trace.
pub(crate) fn traced(path: &str) -> String {
    format!(
        "[workload]                      # must; `gigawatt inspect FILE` shows what a trace asks for\n\
         trace = {}\n\
         # from = \"36h\"                  # only jobs submitted from here on; before: until\n\
         # scale_load = 1.2              # jobs come faster\n\
         # map = {{ gpus = \"num_gpu\" }}    # which column of a table tells what\n",
        quoted(path)
    )
}

/// Jobs of a tenant that ask for most of what some GPUs can do: small ones, and gangs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stream<'a> {
    pub(crate) name: &'a str,
    pub(crate) tenant: &'a str,
    pub(crate) partition: Option<&'a str>,
    pub(crate) count: u32,
    /// What they are a load of.
    pub(crate) gpus: u32,
    /// GPUs of the large ones.
    pub(crate) gang: u32,
    /// Of those GPUs, beside the reference.
    pub(crate) speed: f64,
    /// Whether what its keys mean stands beside them.
    pub(crate) is_told: bool,
}

/// Keys between brackets stand for what a stream says of them.
const STREAM: &str = "\
[[workload.generate]]           # must: these, or `trace = \"FILE\"`, or jobs by hand: [[workload.job]]
{name}                          # its jobs are {own}-1, {own}-2, ...
tenant = {tenant}
count = {count}
arrivals = { poisson = {rate} }    # about nine tenths of what {gpus} GPUs can do

[[workload.generate.job]]
weight = 8                      # eight of these ...
kind = \"eval\"                   # pretrain, finetune, rl, eval, batch-inference, inference-service, data, other
gpus = 1
work = { lognormal = \"30m\", sigma = 1.0 }      # the mean on an H100, and its spread
requested = { times = [1.0, 3.0] }             # what users say it takes: one to three times that
{partition}

[[workload.generate.job]]
weight = 1                      # ... to one of these
kind = \"finetune\"
gpus = {gang}
work = { lognormal = \"3h\", sigma = 0.6 }
requested = { times = [1.0, 2.0] }
checkpoint = \"30m\"              # a stop loses what was done since the last one
{partition}";

impl Stream<'_> {
    /// It as the file has it.
    pub(crate) fn text(&self) -> String {
        let Self { count, gpus, gang, .. } = self;
        // Eight jobs of one GPU for half an hour to one gang for three hours.
        let hours = (8.0 * 0.5 + f64::from(*gang) * 3.0) / 9.0 / self.speed;
        let rate = (LOAD * f64::from(*gpus) / hours).max(1.0).round();
        let mut lines = String::new();
        for line in STREAM.lines() {
            let bare = line.split("  # ").next().unwrap_or_default().trim_end();
            let line = if self.is_told { line } else { bare };
            lines.push_str(line);
            lines.push('\n');
        }
        let named = format!("name = {}", quoted(self.name));
        let partition = self.partition.map(|name| format!("partition = {}\n", quoted(name)));
        lines
            .replace("{count}", &count.to_string())
            .replace("{rate}", &format!("{rate}, per = \"1h\""))
            .replace("{gpus}", &gpus.to_string())
            .replace("{gang}", &gang.to_string())
            .replace("{own}", self.name)
            .replace("{name}                          ", &format!("{named:<32}"))
            .replace("{tenant}", &quoted(self.tenant))
            .replace("{partition}\n", partition.as_deref().unwrap_or_default())
            .replace("{name}", &named)
    }
}
