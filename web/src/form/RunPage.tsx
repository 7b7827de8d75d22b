/** The declared inputs of a workflow as a simple page, for people who do not want a graph. */
export function RunPage({ name }: { readonly name: string }) {
  return (
    <main className="run-page">
      <h1>{name}</h1>
    </main>
  );
}
