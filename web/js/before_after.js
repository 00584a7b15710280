// Shows a picture before and after it was painted on the node that painted it, with a slider between the two.

import { api } from '../../../scripts/api.js'
import { app } from '../../../scripts/app.js'

const KEY = 'pstyle_before_after' // as in nodes/preview.py
const NAME = 'before_after'
const LEAST_PX = 120 // height of what is shown on a narrow node

const LAYER = { position: 'absolute', inset: '0', width: '100%', height: '100%', margin: '0' }
const PICTURE = { ...LAYER, objectFit: 'contain', pointerEvents: 'none' }

function element(tag, style, parent) {
  const found = document.createElement(tag)
  Object.assign(found.style, style)
  parent?.append(found)
  return found
}

// A box with both pictures one upon the other, and what tells it which to show.
function slider() {
  // Where nodes are elements of the page, some pages ask the box itself how high it wants to be.
  const box = element('div', { position: 'relative', overflow: 'hidden', minHeight: `${LEAST_PX}px` })
  const view = element('div', { position: 'absolute' }, box) // where the pictures are, without a margin
  const before = element('img', PICTURE, view)
  const after = element('img', PICTURE, view)
  const line = element('div', { ...LAYER, width: '2px', background: 'white', pointerEvents: 'none' }, view)
  const range = element('input', { ...LAYER, opacity: '0', cursor: 'ew-resize' }, view)
  Object.assign(range, { type: 'range', min: 0, max: 100, step: 0.1, value: 50, ariaLabel: 'before and after' })
  let ratio = 1 // height over width

  function move() {
    after.style.clipPath = `inset(0 0 0 ${range.value}%)`
    line.style.left = `calc(${range.value}% - 1px)`
  }
  function fit() {
    const width = Math.min(box.clientWidth, box.clientHeight / ratio)
    const height = width * ratio
    Object.assign(view.style, { width: `${width}px`, height: `${height}px` })
    Object.assign(view.style, { left: `${(box.clientWidth - width) / 2}px`, top: '0' })
  }
  range.addEventListener('input', move)
  range.addEventListener('pointerdown', (event) => event.stopPropagation()) // else the node is dragged
  new ResizeObserver(fit).observe(box)
  move()

  function show(pair, done) {
    const address = (file) => api.apiURL(`/view?${new URLSearchParams(file)}`)
    after.onload = () => {
      ratio = after.naturalHeight / after.naturalWidth
      fit()
      done()
    }
    before.src = address(pair.before)
    after.src = address(pair.after)
  }
  return { box, show, height: (width) => Math.max(LEAST_PX, width * ratio) }
}

function sliderOf(node) {
  const known = node.widgets?.find((widget) => widget.name === NAME)
  if (known) return known.slider
  const made = slider()
  const widget = node.addDOMWidget(NAME, NAME, made.box, { getMinHeight: () => LEAST_PX })
  widget.slider = made
  widget.serialize = false // it is no value of the workflow, which knows widgets by their number
  widget.options.serialize = false // nor of the prompt
  return made
}

app.registerExtension({
  name: 'pstyle.beforeAfter',
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!nodeData.name.startsWith('PStyle')) return
    const before = nodeType.prototype.onExecuted
    nodeType.prototype.onExecuted = function (output) {
      before?.apply(this, arguments)
      const pair = output?.[KEY]?.[0]
      if (!pair) return
      const first = !this.widgets?.some((widget) => widget.name === NAME)
      const found = sliderOf(this)
      found.show(pair, () => {
        if (!first) return // whoever has made the node larger or smaller since wants it so
        const others = this.computeSize()[1] - LEAST_PX
        this.setSize([this.size[0], Math.max(this.size[1], others + found.height(this.size[0]))])
      })
    }
  }
})
