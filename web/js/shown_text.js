// Shows the text that a node of this pack gives, such as scores, on the node itself: ComfyUI draws only pictures.

import { app } from '../../../scripts/app.js'

const NAME = 'shown'
const LINE_PX = 15
const MOST_LINES = 10 // it scrolls beyond

function textArea(node) {
  const known = node.widgets?.find((widget) => widget.name === NAME)
  if (known) return known.element
  const area = document.createElement('textarea')
  area.className = 'comfy-multiline-input'
  area.readOnly = true
  const lines = () => Math.min(MOST_LINES, area.value.split('\n').length)
  const widget = node.addDOMWidget(NAME, 'text', area, { getMinHeight: () => LINE_PX * (lines() + 1) })
  widget.serialize = false // it is no value of the workflow, which knows widgets by their number
  widget.options.serialize = false // nor of the prompt
  return area
}

app.registerExtension({
  name: 'pstyle.shownText',
  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!nodeData.output_node || !nodeData.name.startsWith('PStyle')) return
    const before = nodeType.prototype.onExecuted
    nodeType.prototype.onExecuted = function (output) {
      before?.apply(this, arguments)
      if (!output?.text) return
      textArea(this).value = output.text.join('\n')
      this.setSize([this.size[0], Math.max(this.size[1], this.computeSize()[1])])
    }
  }
})
