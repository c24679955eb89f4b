import fs from 'node:fs'
import path from 'node:path'

/** Every file below `dir`, as paths relative to it. */
export function listFiles(dir) {
  const out = []
  const walk = (at) => {
    for (const entry of fs.readdirSync(at, { withFileTypes: true })) {
      const full = path.join(at, entry.name)
      if (entry.isDirectory()) walk(full)
      else out.push(path.relative(dir, full))
    }
  }
  walk(dir)
  return out.sort()
}

/** Roots of the sub-packages, each with a closing slash. */
export function subPackageRoots(app) {
  return (app.subPackages ?? app.subpackages ?? []).map((sub) => sub.root.replace(/\/?$/, '/'))
}

/** Paths of all pages, main package first. */
export function pagePaths(app) {
  const subs = app.subPackages ?? app.subpackages ?? []
  return [...app.pages, ...subs.flatMap((sub) => sub.pages.map((page) => sub.root.replace(/\/?$/, '/') + page))]
}
