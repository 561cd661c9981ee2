//! What makes the command at home in shells and editors: completions, manual pages, schemas.

use super::Exit;
use super::arguments::{Arguments, Completions, Man, SchemaOf};
use super::terminal::Terminal;
use crate::error::{Error, Result};
use crate::report::{ANSWERS, Directory};
use crate::scenario::SCHEMAS;
use clap::CommandFactory;
use std::path::Path;

/// Prints the schema of a file or an answer.
pub(super) fn schema(arguments: &SchemaOf, terminal: Terminal) -> Result<Exit> {
    for schema in SCHEMAS.iter().filter(|schema| schema.name == arguments.name) {
        terminal.print(&format!("{:#}\n", schema.json()))?;
    }
    for answer in ANSWERS.iter().filter(|answer| answer.name == arguments.name) {
        terminal.print(&format!("{:#}\n", answer.schema()))?;
    }
    Ok(Exit::Done)
}

/// Prints what a shell takes.
pub(super) fn completions(arguments: &Completions, terminal: Terminal) -> Result<Exit> {
    let mut bytes = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "gigawatt", &mut bytes);
    terminal.print(&String::from_utf8_lossy(&bytes))?;
    Ok(Exit::Done)
}

/// Prints the manual page of the program, or writes those of all commands.
pub(super) fn man(arguments: &Man, terminal: Terminal) -> Result<Exit> {
    let mut program = Arguments::command();
    program.build();
    let page = |command: &clap::Command| {
        let mut bytes = Vec::new();
        let rendered = clap_mangen::Man::new(command.clone()).render(&mut bytes);
        rendered.map_err(|source| Error::io("write", Path::new("stdout"), source)).map(|()| bytes)
    };
    let Some(folder) = &arguments.out else {
        terminal.print(&String::from_utf8_lossy(&page(&program)?))?;
        return Ok(Exit::Done);
    };
    let directory = Directory::create(folder)?;
    directory.write("gigawatt.1", &page(&program)?)?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        // As the page of a command of its own: `man gigawatt-simulate`.
        let name = format!("gigawatt-{}", command.get_name());
        directory
            .write(&format!("{name}.1"), &page(&command.clone().display_name(name.clone()).name(name))?)?;
    }
    Ok(Exit::Done)
}
