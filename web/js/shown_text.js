// Shows the text that a node of this pack gives, such as scores, on the node itself: ComfyUI draws only pictures.

import { app } from '../../../scripts/app.js'

const NAME = 'shown'
const LINE_PX = 15
const MOST_LINES = 10 // it scrolls beyond

// Shows a text in the node's box for it, made if it is missing.
function show(node, text) {
  const area = node.widgets?.find((widget) => widget.name === NAME)?.element ?? textArea(node)
  area.value = text
  area.style.minHeight = `${height(area)}px` // where nodes are elements of the page, some pages ask the box itself
}

function height(area) {
  return LINE_PX * (Math.min(MOST_LINES, area.value.split('\n').length) + 1)
}

function textArea(node) {
  const area = document.createElement('textarea')
  area.className = 'comfy-multiline-input'
  area.readOnly = true
  area.style.width = '100%'
  // A type of its own: newer pages draw a box of their own, an empty one, for what is of type text.
  const widget = node.addDOMWidget(NAME, NAME, area, { getMinHeight: () => height(area) })
  widget.serialize = false // it is no value of the workflow, which knows widgets by their number
  widget.options.serialize = false // nor of the prompt
  return area
}

app.registerExtension({
  name: 'pstyle.shownText',
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!nodeData.name.startsWith('PStyle')) return
    const before = nodeType.prototype.onExecuted
    nodeType.prototype.onExecuted = function (output) {
      before?.apply(this, arguments)
      if (!output?.text) return
      show(this, output.text.join('\n'))
      this.setSize([this.size[0], Math.max(this.size[1], this.computeSize()[1])])
    }
  }
})
