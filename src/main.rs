//! The `boma` command.

fn main() -> std::process::ExitCode {
    boma::cli::main()
}
