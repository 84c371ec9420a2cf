"""What the words of the pages mean; docs/glossary.md has the same sentences, and more words."""

TERMS = {
    "Seed": (
        "The number from which all random numbers of a run are made: initial weights, order of "
        "the images, dropout. The same seed gives the same run."
    ),
    "Epoch": (
        "One pass over all training images. With 55,000 images and batches of 100, an epoch has"
        " 550 steps."
    ),
    "Step": "One change of the weights, made from one batch of images.",
    "Test split": (
        "The images that say how good a chosen model is; of MNIST they are 10,000. Do not choose "
        "with them, or the number becomes too good to be true."
    ),
    "Validation split": (
        "The images that are held out of training to choose between models and settings; of "
        "MNIST they are 5,000. You may look at them as often as you like."
    ),
    "Run": (
        "One training, with everything that is recorded about it: settings, code, metrics, "
        "figures, model."
    ),
    "Setting": "One value that you can change, such as `model.kernel_size=7`.",
    "Preset": "A named set of settings: `experiment=blog_cnn3x3` is the blog post's program.",
    "Variant": "One of the programs that a study compares, whatever its seed.",
    "Study": "Trials of a sweep that Optuna runs, kept together in its database under one name.",
    "Trial": "One training of a sweep.",
    "Pruned": "Ended early, because the trial was worse than the others at the same epoch.",
    "Group": "Runs that differ in their seed only. `compare` compares groups, never single runs.",
    "Baseline": "The group with which every other group is compared.",
    "Paired": (
        "Compared seed by seed: the difference is taken between two runs with the same seed, so"
        " that what the seed does to both cancels out."
    ),
    "Standard deviation": "Abbreviated sd: how far single runs typically lie from their mean.",
    "Confidence interval": (
        "A range for the true mean. Of 100 intervals that are made in this way, about 95 "
        "contain the value that endless runs would give."
    ),
    "p-value": (
        "The probability of a difference at least this large if the two programs were equally "
        "good. A small p says that luck is a poor explanation."
    ),
    "BCa interval": (
        "A confidence interval made by drawing the runs again and again with replacement, "
        "corrected for bias and skewness (Efron 1987)."
    ),
    "Student interval": (
        "A confidence interval made from the mean and the standard deviation (Student 1908). For "
        "accuracies it is made from their logits, so that it stays between 0 and 1."
    ),
    "Holm": (
        "A correction of p-values for many comparisons at once: with it, the chance of even one"
        " false alarm among all of them stays below 5% (Holm 1979)."
    ),
    "McNemar": (
        "A test for two networks that saw the same images: it counts the images that only one of "
        "them gets right (McNemar 1947)."
    ),
    "Ensemble": (
        "The vote of several networks: the answer that most of the seeds give. It is usually "
        "better than each of its networks."
    ),
    "Not shown": (
        '"No difference is shown" means that the runs do not decide it. It does not mean that '
        "the programs are equally good."
    ),
    "Equivalent": (
        "The difference is shown to be smaller than a margin, the smallest difference that "
        "matters. It says more than that no difference is shown (Schuirmann 1987)."
    ),
    "Power": ("How often a study shows a difference that is there. With more seeds it is larger."),
    "Shapley value": (
        "The part of a difference that one setting explains, averaged over the orders in which "
        "the settings can be changed one after the other (Shapley 1953)."
    ),
    "Importance": (
        "How much of the spread of a study's results comes from one setting, as a fraction of 1."
    ),
    "Cost": (
        "The mean loss per image over an epoch, in the loss's own unit. The tutorials print it "
        "under this name."
    ),
    "Accuracy": (
        "The fraction of images that the network gets right, from 0 to 1. Who guesses among K "
        "classes gets 1/K: among ten digits, 0.1."
    ),
}
