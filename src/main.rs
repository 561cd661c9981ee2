//! The `gigawatt` command.

fn main() -> std::process::ExitCode {
    gigawatt::cli::main()
}
