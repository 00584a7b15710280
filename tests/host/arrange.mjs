// Lays workflows out on ComfyUI's page and saves them as the page does: node arrange.mjs JOB.json
//
// The job: {url, modules (folder with playwright-core), chromium, workflows [{path, stacks}], shots or null}. A
// stack holds groups from top to bottom, [title, [column, ...]] each; a column the ids of nodes from top to
// bottom. Stacks stand from left to right, behind the note.

import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { drop, open, overlap, withPage } from './browser.mjs'

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'))

// Runs in the page. Sizes come from the nodes themselves, so that no widget is cut off.
function arrange(stacks) {
  const GAP = 40, TITLE = 34, PAD = 20, HEADER = 70, WIDTH = 280, NOTE = [340, 460], LOADED = 320
  const FOOT = 26 // below a node, where newer pages write whose it is; their rows are a little higher, too
  const PICTURE = 230, REPORT = 190, TEXT = 110, LINE = 40
  const ROOM = { // for what a run shows below the widgets
    SaveImage: PICTURE, PreviewImage: PICTURE, PStyleLearn: PICTURE + LINE, PStyleFinetune: PICTURE,
    PStyleOptimize: PICTURE, PStylePaint: PICTURE, PStylePaint360: PICTURE, PStylePaintStereo: PICTURE,
    PStylePaintVideo: PICTURE, PStyleRestore: PICTURE, PStyleScore: TEXT, PStyleSeamScore: TEXT,
    PStyleFlickerScore: TEXT, PStyleTasteTest: TEXT, PStyleLearnDamage: REPORT, PStyleSaveStyle: LINE,
    PStyleSave360: LINE, PStyleSaveDamage: LINE, PStyleReport: LINE
  }
  const LARGE = { 'Which is best?': [560, 600] } // by title: to compare pictures in
  const graph = window.app.graph

  function size(node) {
    const [width, height] = node.computeSize() // a loaded picture counts in it
    const own = [Math.max(WIDTH, width), height + (ROOM[node.type] ?? 0)]
    node.setSize(LARGE[node.title] ?? (node.type === 'LoadImage' ? [own[0], LOADED] : own))
  }

  function column(nodes, x, top, heights) {
    let y = top
    nodes.forEach((node, row) => {
      node.pos = [x, y]
      y += (heights?.[row] ?? node.size[1]) + FOOT + PAD + TITLE
    })
    return y - TITLE - PAD
  }

  function group([title, ids], x, y) {
    const columns = ids.map((column) => column.map((id) => graph.getNodeById(id)))
    columns.flat().forEach(size)
    const rows = columns[0].length
    const grid = columns.every((nodes) => nodes.length === rows) && rows > 1
    const heights = grid && columns[0].map((_, row) => Math.max(...columns.map((nodes) => nodes[row].size[1])))
    let right = x + PAD, bottom = y
    for (const nodes of columns) {
      bottom = Math.max(bottom, column(nodes, right, y + HEADER, heights))
      right += Math.max(...nodes.map((node) => node.size[0])) + GAP
    }
    const box = new window.LiteGraph.LGraphGroup(title)
    box.pos = [x, y]
    box.size = [right - GAP + PAD - x, bottom + PAD - y]
    graph.add(box)
    return box
  }

  for (const old of [...graph._groups]) graph.remove(old)
  const note = graph._nodes.find((node) => node.type === 'MarkdownNote')
  note.pos = [0, 0]
  note.setSize(NOTE)
  let x = NOTE[0] + GAP
  for (const stack of stacks) {
    let y = -TITLE, width = 0
    for (const entry of stack) {
      const box = group(entry, x, y)
      y += box.size[1] + PAD
      width = Math.max(width, box.size[0])
    }
    x += width + PAD
  }
  // The view that the file opens with: all of it on a large screen, but never too small to be read.
  const { ds } = window.app.canvas
  ds.scale = Math.min(0.9, Math.max(0.6, 1780 / x))
  ds.offset = [80 / ds.scale, 140 / ds.scale]
  window.app.canvas.setDirty(true, true)
}

await withPage(job, async (page, url) => {
  await open(page, url)
  for (const { path, stacks } of job.workflows) {
    await drop(page, path)
    await page.evaluate(arrange, stacks)
    await page.waitForTimeout(1500)
    const covered = await page.evaluate(overlap)
    if (covered) throw new Error(`${basename(path)}: ${covered.join(' and ')} cover each other`)
    const saved = await page.evaluate(() => window.app.graph.serialize({ sortNodes: true }))
    writeFileSync(path, JSON.stringify(saved, null, 2) + '\n')
    if (job.shots) await page.screenshot({ path: join(job.shots, `${basename(path, '.json')}.png`) })
  }
})
