"""The node classes, in menu order, and the two mappings that ComfyUI reads."""

from __future__ import annotations

from .damage import PStyleDamagePicture, PStyleLearnDamage, PStyleLoadDamage, PStyleSaveDamage
from .features import PStyleLookAtFeatures, PStyleVGGFeatures
from .files import PStyleLoadGenerator, PStyleLoadStyle, PStyleLoadVGG, PStyleSaveStyle
from .finetune import PStyleDiscriminatorMap, PStyleFinetune
from .learn import PStyleBlend, PStyleLearn, PStyleStyleSet, PStyleStyleSetFromFolder
from .measure import PStyleLossPlot, PStyleScore
from .paint import PStyleOptimize, PStylePaint
from .report import PStyleReport
from .restoration import (
    PStyleDetectDamage,
    PStyleLearnRestorer,
    PStyleLoadRestorer,
    PStyleRestore,
    PStyleSaveRestorer,
)
from .taste import PStyleStyleMap, PStyleTasteTest
from .video import PStyleFlickerScore, PStylePaintVideo
from .vr import PStylePaint360, PStylePaintStereo, PStyleSave360, PStyleSeamScore

NODE_CLASSES: list[type] = [
    PStyleStyleSet,
    PStyleStyleSetFromFolder,
    PStyleLearn,
    PStylePaint,
    PStyleSaveStyle,
    PStyleLoadStyle,
    PStyleBlend,
    PStyleTasteTest,
    PStyleFinetune,
    PStyleDiscriminatorMap,
    PStyleOptimize,
    PStyleLoadVGG,
    PStyleLoadGenerator,
    PStyleVGGFeatures,
    PStyleLookAtFeatures,
    PStyleScore,
    PStyleLossPlot,
    PStyleReport,
    PStyleStyleMap,
    PStylePaintVideo,
    PStyleFlickerScore,
    PStylePaint360,
    PStylePaintStereo,
    PStyleSeamScore,
    PStyleSave360,
    PStyleLearnDamage,
    PStyleDamagePicture,
    PStyleSaveDamage,
    PStyleLoadDamage,
    PStyleRestore,
    PStyleDetectDamage,
    PStyleLearnRestorer,
    PStyleSaveRestorer,
    PStyleLoadRestorer,
]

# A class's name is its permanent id in workflow files; its TITLE is shown in the menu.
NODE_CLASS_MAPPINGS = {node.__name__: node for node in NODE_CLASSES}
NODE_DISPLAY_NAME_MAPPINGS = {node.__name__: node.TITLE for node in NODE_CLASSES}
