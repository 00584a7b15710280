// A browser with ComfyUI's page in it, and what a person does there first: open it, drop a workflow onto it.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, join } from 'node:path'

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
  '--disable-background-networking', '--disable-component-update']
const SIZE = { width: 1920, height: 1080 }
const PATIENCE_MS = 240_000

// Starts Chromium, and tells `use` of a page in it; playwright-core lies in node_modules of `modules`.
export async function withPage({ modules, chromium, url }, use) {
  const playwright = createRequire(join(modules, 'page.cjs'))('playwright-core')
  const browser = await playwright.chromium.launch({ executablePath: chromium, args: FLAGS })
  try {
    const page = await (await browser.newContext({ viewport: SIZE })).newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    return await use(page, url)
  } finally {
    await browser.close()
  }
}

// Errors of the page from now on: a list that grows.
export function listen(page) {
  const errors = []
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${message.text()} (${message.location().url})`)
  })
  page.on('pageerror', (error) => errors.push(error.stack || String(error)))
  return errors
}

// Waits until something holds in the page, looking twice a second: every frame would take a core of its own.
export async function until(page, holds, argument) {
  return (await page.waitForFunction(holds, argument, { polling: 500 })).jsonValue()
}

export async function open(page, url) {
  await page.goto(url)
  await until(page, () => Boolean(window.app?.vueAppReady && window.app.graph && window.app.extensionManager))
  await until(page, () => 'PStylePaint' in window.LiteGraph.registered_node_types)
}

export const command = (page, id) => page.evaluate((id) => window.app.extensionManager.command.execute(id), id)

// Two nodes that cover each other, or null; runs in the page.
export function overlap() {
  const nodes = window.app.graph._nodes
  const box = ({ pos, size }) => [pos[0], pos[1] - 30, pos[0] + size[0], pos[1] + size[1]]
  for (const [place, one] of nodes.entries()) {
    for (const other of nodes.slice(place + 1)) {
      const [a, b] = [box(one), box(other)]
      if (a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]) return [one.title, other.title]
    }
  }
  return null
}

// Drops a workflow file onto the canvas and waits until its nodes stand there.
export async function drop(page, path) {
  const name = basename(path), text = readFileSync(path, 'utf8')
  await page.evaluate(() => window.app.graph._nodes.forEach((node) => { node.fromBefore = true }))
  const dataTransfer = await page.evaluateHandle(({ name, text }) => {
    const data = new DataTransfer()
    data.items.add(new File([text], name, { type: 'application/json' }))
    return data
  }, { name, text })
  await page.dispatchEvent('#graph-canvas', 'drop', { dataTransfer })
  await until(page, (count) => {
    const nodes = window.app.graph._nodes
    return nodes.length === count && nodes.every((node) => !node.fromBefore)
  }, JSON.parse(text).nodes.length)
  await command(page, 'Comfy.Canvas.FitView')
  await page.waitForTimeout(1500) // the view glides there, and pictures load
}
