//! ${{ values.description }}
{% if values.web %}
use axum::{Router, routing::get};

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(${{ values.port }});
    let app = Router::new().route("/healthz", get(|| async { "ok" }));
    let listener = tokio::net::TcpListener::bind(("0.0.0.0", port)).await?;
    axum::serve(listener, app).await
}
{% else %}
#[tokio::main]
async fn main() -> std::io::Result<()> {
    println!("${{ values.crate }} waits for events");
    tokio::signal::ctrl_c().await
}
{% endif %}
