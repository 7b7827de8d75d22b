/** What is wrong with what stands in a field. */
export function FieldProblem({ id, text }: { readonly id?: string; readonly text: string | null }) {
  if (!text) return null;
  return (
    <p className="field-problem" id={id} role="alert">
      {text}
    </p>
  );
}
