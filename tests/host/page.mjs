// Drives ComfyUI's page in Chromium as a person would, and tells what it saw: node page.mjs JOB.json
//
// The job: {url, modules (folder with playwright-core), chromium, workflows {name: path}, quick {name: {class
// or title: {widget: value}}}, run: [names to queue], help: node class, seen: file for what it saw,
// shots: folder for screenshots or null}.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { command, drop, listen, open, overlap, until, withPage } from './browser.mjs'

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'))

async function shoot(page, name) {
  if (job.shots) await page.screenshot({ path: join(job.shots, `${name}.jpg`), type: 'jpeg', quality: 80 })
}

// What stands on the canvas: nodes that lack a class or a file, what the page would queue, open dialogs.
function look(page) {
  return page.evaluate(async () => ({
    missing: window.app.graph._nodes
      .filter((node) => !window.LiteGraph.registered_node_types[node.type] || node.has_errors)
      .map((node) => node.type),
    prompt: (await window.app.graphToPrompt()).output,
    dialogs: [...document.querySelectorAll('[role=dialog]')].map((dialog) => dialog.innerText)
  }))
}

async function everyWorkflow(page) {
  const seen = {}
  for (const name of Object.keys(job.workflows)) {
    await drop(page, job.workflows[name])
    seen[name] = await look(page)
    await shoot(page, name)
  }
  return seen
}

async function everyRun(page) {
  const seen = {}
  for (const name of job.run) seen[name] = await queue(page, name)
  return seen
}

// Queues what stands on the canvas by the page's own button, and tells what its nodes showed.
async function queue(page, name, shot = name) {
  await drop(page, job.workflows[name])
  await page.evaluate((changes) => {
    for (const node of window.app.graph._nodes) {
      for (const [widget, value] of Object.entries(changes[node.type] ?? changes[node.title] ?? {})) {
        node.widgets.find((one) => one.name === widget).value = value
      }
    }
    window.ends = []
    window.previews = []
    for (const kind of ['execution_success', 'execution_error', 'execution_interrupted']) {
      window.app.api.addEventListener(kind, (event) => window.ends.push([kind, event.detail]))
    }
    window.app.api.addEventListener('b_preview', (event) => window.previews.push(event.detail.size))
  }, job.quick[name] ?? {})
  await page.locator('[data-testid=queue-button] button, button[data-testid=queue-button]').first().click()
  const shown = await livePreview(page, shot)
  if (shown !== 'refused') await until(page, () => window.ends.length > 0)
  await page.waitForTimeout(2000) // the pictures of output nodes load
  await shoot(page, `${shot}_done`)
  const covered = await page.evaluate(overlap)
  const told = await page.evaluate((live) => ({
    end: window.ends[0] ?? window.app.lastNodeErrors,
    live,
    previews: window.previews,
    pictures: Object.fromEntries(
      window.app.graph._nodes
        .filter((node) => node.constructor.nodeData?.output_node && node.imgs?.length)
        .map((node) => [node.id, node.imgs.map((picture) => [picture.src, picture.naturalWidth])])
    ),
    texts: Object.fromEntries(
      window.app.graph._nodes.flatMap((node) => (node.widgets ?? [])
        .filter((widget) => widget.name === 'shown')
        .map((widget) => [node.type, widget.element.value]))
    ),
    sliders: Object.fromEntries(
      window.app.graph._nodes.flatMap((node) => (node.widgets ?? [])
        .filter((widget) => widget.name === 'before_after')
        .map((widget) => [node.type, [...widget.element.querySelectorAll('img')].map((one) => one.naturalWidth)]))
    ),
    values: Object.fromEntries(
      window.app.graph.serialize().nodes.map((node) => [node.id, node.widgets_values ?? []])
    )
  }), shown)
  return { ...told, covered }
}

// What is seen of our own widgets where nodes are drawn as elements of the page ("Nodes 2.0").
async function asElements(page, name) {
  const set = (value) => page.evaluate(
    (value) => window.app.extensionManager.setting.set('Comfy.VueNodes.Enabled', value), value)
  await set(true)
  await open(page, job.url)
  const { end } = await queue(page, name, 'as_elements')
  const sizes = await page.evaluate(() => window.app.graph._nodes.flatMap((node) => (node.widgets ?? [])
    .filter((widget) => ['shown', 'before_after'].includes(widget.name))
    .map((widget) => [node.type, widget.element.getBoundingClientRect()])
    .map(([type, { width, height }]) => [type, [width, height]])))
  await set(false)
  return { end, sizes: Object.fromEntries(sizes) }
}

// Waits until a node shows a picture of a loop under way, or the run has ended.
async function livePreview(page, name) {
  const shown = await until(page, () => {
    const nodes = window.app.graph._nodes
    const live = nodes.find((node) => node.imgs?.some((picture) => picture.src.startsWith('blob:')))
    if (Object.keys(window.app.lastNodeErrors ?? {}).length > 0) return 'refused'
    return live ? live.type : window.ends.length > 0 && 'none'
  })
  await shoot(page, `${name}_live`)
  return shown
}

// The help page of a node, by the (i) button above it.
async function help(page, type) {
  await drop(page, job.workflows[job.run[0]])
  await page.evaluate((type) => {
    const node = window.app.graph._nodes.find((one) => one.type === type)
    window.app.canvas.deselectAll()
    window.app.canvas.selectNode(node)
    window.app.canvas.centerOnNode(node)
    window.app.canvas.setDirty(true, true)
  }, type)
  await page.getByTestId('info-button').first().click()
  const content = page.locator('.node-help-content').first()
  await content.locator('h1').first().waitFor()
  await page.waitForTimeout(1500)
  await shoot(page, 'help')
  const pictures = await content.locator('img').evaluateAll((found) => found.map((one) => one.naturalWidth))
  return { text: await content.innerText(), pictures }
}

// The template browser: our workflows with their thumbnails, and the first one opened from there.
async function templates(page, pack) {
  await command(page, 'Comfy.BrowseTemplates')
  const dialog = page.locator('[role=dialog]').last()
  await dialog.getByText(pack, { exact: true }).first().click()
  const cards = dialog.locator('[data-testid^=template-workflow-]')
  await cards.first().waitFor()
  const widths = {}
  for (const card of await cards.all()) {
    await card.scrollIntoViewIfNeeded() // a picture is fetched once it would be seen
    const picture = await card.locator('img').first().elementHandle()
    await until(page, (picture) => picture.complete && picture.naturalWidth > 0, picture)
    const name = (await card.getAttribute('data-testid')).replace('template-workflow-', '')
    widths[name] = await picture.evaluate((picture) => picture.naturalWidth)
  }
  await cards.first().scrollIntoViewIfNeeded()
  await page.waitForTimeout(1500) // they fade in
  await shoot(page, 'templates')
  await page.keyboard.press('Escape')
  return widths
}

// The page in Chinese: titles and the labels of inputs, outputs and widgets of one workflow.
async function chinese(page, name) {
  await page.evaluate(() => window.app.extensionManager.setting.set('Comfy.Locale', 'zh'))
  await open(page, job.url)
  await drop(page, job.workflows[name])
  await shoot(page, 'chinese')
  const seen = await page.evaluate(() => window.app.graph._nodes.map((node) => ({
    type: node.type,
    title: node.title,
    inputs: (node.inputs ?? []).map((slot) => [slot.name, slot.label ?? slot.localized_name]),
    outputs: (node.outputs ?? []).map((slot) => [slot.name, slot.label ?? slot.localized_name]),
    widgets: (node.widgets ?? []).map((widget) => [widget.name, widget.label])
  })))
  await page.evaluate(() => window.app.extensionManager.setting.set('Comfy.Locale', 'en'))
  return seen
}

await withPage(job, async (page, url) => {
  const errors = listen(page)
  await open(page, url)
  const seen = { errors, version: await page.evaluate(() => window.__COMFYUI_FRONTEND_VERSION__) }
  const tour = {
    workflows: () => everyWorkflow(page),
    runs: () => everyRun(page),
    elements: () => asElements(page, 'paint_360'),
    help: () => help(page, job.help),
    templates: () => templates(page, 'pstyle'),
    chinese: () => chinese(page, job.run[0])
  }
  for (const [stop, look] of Object.entries(tour)) {
    try {
      seen[stop] = await look()
    } catch (error) { // the rest of the tour is told of all the same
      seen[stop] = { failed: String(error) }
      await shoot(page, `failed_${stop}`)
    }
  }
  writeFileSync(job.seen, JSON.stringify(seen))
})
