/** Addresses of files on the server, which want its token where it has one. */

/** Key of the token in the tab's storage. */
export const TOKEN_KEY = "motiongen.token";

/** Return this tab's token, where it has one. */
export function storedToken(): string | undefined {
  try {
    return sessionStorage.getItem(TOKEN_KEY) ?? undefined;
  } catch {
    return new URL(location.href).searchParams.get("token") ?? undefined;
  }
}

/** Return the address of a file on the page's server, with the token and further parts of the query. */
export function serverFile(path: string, query: Record<string, string> = {}): string {
  const address = new URL(path.replace(/^\//, ""), document.baseURI); // the page works under any prefix
  const token = storedToken();
  address.search = new URLSearchParams({ ...query, ...(token && { token }) }).toString();
  return address.href;
}
