//! Compiles the `.proto` files without a system `protoc`.

use std::{env, error::Error, fs, path::Path};

const FILES: [&str; 6] = [
    "auth/v1/auth.proto",
    "auth/v1/trust.proto",
    "gatehouse/options/v1/options.proto",
    "google/api/annotations.proto",
    "google/api/httpbody.proto",
    "widget/v1/widget.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    for folder in ["auth", "gatehouse", "google", "widget"] {
        println!("cargo:rerun-if-changed={folder}");
    }

    let mut compiler = protox::Compiler::new(["."])?;
    compiler
        .include_source_info(true)
        .include_imports(true)
        .open_files(FILES)?;

    // Encoded by protox itself: a set that went through prost-types would have lost the option extensions.
    let out = env::var("OUT_DIR")?;
    fs::write(
        Path::new(&out).join("descriptors.bin"),
        compiler.encode_file_descriptor_set(),
    )?;

    tonic_prost_build::configure().compile_fds(compiler.file_descriptor_set())?;
    Ok(())
}
