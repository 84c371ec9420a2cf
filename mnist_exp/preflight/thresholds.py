"""Every threshold of the checks, chosen from measurements: docs/preflight.md has the margins."""

LABEL_SENSITIVITY = 1e-4  # relative change of the loss gradient when labels are permuted
ALIGNMENT = 0.3  # cosine between the loss's downhill direction and the right class
LOSS_LEAK = 1e-4  # 1 - cosine of a gradient before and after other examples were exchanged
# The same of a loss that may look at all examples together, such as the overlap of masks.
LOSS_LEAK_OF_BATCH = 0.1
UNIFORM_LOSS = 0.05  # relative deviation from ln C at uniform outputs
SAME_LOSS = 1e-3  # relative: losses that a formula makes equal, but for rounding
SAME_MULTIPLE = 0.02  # relative, of the cross entropy at uniform outputs and at others
INITIAL_LOSS_HIGH = 12.0  # first loss per example, in units of ln C
INITIAL_LOSS_LOW = 0.5

ROW_SUM_ERROR = 1e-3
# Of mean and deviation of a batch of outputs, from 0 and 1: the epsilon of a batch normalisation
# moves the deviation by up to a hundredth, and others come so near to both by chance only.
NORMALISED = 0.01
RECTIFIED_SHARE = 0.2  # of outputs that are exactly 0 with random weights; a ReLU's are half
UNCERTAIN = 0.3  # distance from 0 and 1 below which no probability can come
SMALL_LOGIT = 3.0  # limit of logits below which no answer of many classes can be certain
FEW = 0.02  # share of the examples that may be an exception
# Part of the variance of the targets that lies outside of what the outputs can be.
RANGE_LOST = 0.01
RANGE_LOST_ERROR = 0.05
# Times the slope of a usual target, from where a loss divides by next to nothing (a percentage of
# 0: 1e7 times the target), and the share of all slopes from where these rule.
ZERO_PULLS, ZEROS_RULE = 1e5, 0.5
UNITS_PER_CLASS = 5  # from where on outputs are too many; 11 for 10 are harmless
EXAMPLES_PER_CLASS = 20  # that must be there before a class is taken for missing
FLOOR = 0.1  # loss of perfect probabilities taken as logits, in units of that of a guess
OUTPUT_LEAK = 1e-4  # relative to the largest output
EVALUATION_NOISE = 1e-4  # relative to the largest output

INPUT_RMS_LOW = 0.02
INPUT_RMS_HIGH = 10.0
# Mean length of what a dense layer multiplies: below, even a wide input is small.
INPUT_LENGTH_LOW = 0.5
PICTURE_VALUES = 64  # fewer numbers per example are a table
# Relative change of the outputs when the images are exchanged, after a short run.
INPUT_SPREAD = 1e-6
HALVED = 4  # features, steps or rows, from where half of them are looked at
EXCHANGED_SHARE = 0.2  # of the numbers of that half that must differ between examples
ZEROS_BETWEEN = 0.5  # of zeros, and of examples, where a token 0 stands between others
ZEROS_IN_A_ROW = 1.5  # times as many as tokens in any order have: more are gaps
# Roughness of pictures along both sides after they are read channel by channel, over that before.
SMOOTHER = 0.7

LARGEST_CLASS = 3.0  # times an even share
# The same of all labels: letters, words and topics are uneven, but none is most of them.
LARGEST_SHARE = 0.5
NEAR_GUESS = 1.5  # times the loss of the best guess, within which a bias was set for the classes
# Of the first loss, by which examples that were mixed must be worse than whole ones, to show that
# something is learned from them.
MIXED_RISE = 0.1
CHANCE = 1e-4  # probability below which a missing or a large class is no accident
# Of a dataset's batches: how many, and of how many examples, from where their order is judged; the
# share of the classes' variance that lies between batches, 0 if they are shuffled and 1 if each
# is one class; and the correlation of one batch's classes with the next one's.
ORDER_BATCHES, ORDER_BATCH_SIZE = 6, 8
ORDERED, ORDER_ALIKE = 0.5, 0.3
PROBE_MIN_EXAMPLES = 100
PROBE_MIN_PER_CLASS = 3  # examples; with fewer, related labels can be as hard to predict
# Standard deviations above what probes and the program reach with shuffled labels. The best of
# nine looks at shuffled labels reached 3.6; tables that explain a tenth of the variance 5.
PROBE_SIGMAS = 4.0

# Examples of an id, in a typical example that of its rarest: with 8, a product of two tables looks
# unrelated to all labels, and as if a third of them were wrong; with 38, words tell.
ID_EXAMPLES = 20

NARROW = (1, 2)  # numbers per example that are few
NARROW_CLASSES = 4  # of which two numbers can still tell three apart with ease
POOLED_INPUTS = 16  # inputs for each number that pooling leaves of them
NARROW_INPUTS = 8  # numbers per example; with fewer, an input is narrow itself
# Of the variance of an autoencoder's inputs, in one direction: one number may be enough for a
# curve, and sensors that all follow one cause have 0.9. Pictures have 0.1.
CODE_TELLS = 0.5
CONSTANT_SHARE = 0.5  # of a table's features; a fifth of MNIST's pixels are constant
SAME_SHARE = 0.98  # of all values of a picture or of tokens that are one value; MNIST: 0.81

NOISE_MIN_EXAMPLES = 200
NOISE_MIN_PER_CLASS = 20
NOISE_CLEAN = 0.93  # share of the labels that a probe finds, from where no more is asked
NOISE_SHARE = 0.06  # wrong labels, at least, with two standard deviations of doubt
NOISE_MOST = 0.5  # beyond it the probe may know too little
NOISE_RIGHT = 0.4  # share of the labels that the probe must find, or it knows too little
# Share of doubtful labels where the probe is sure, over the share everywhere. Classes that overlap
# have up to 0.62 (a table like the Titanic's), a fifth of wrong labels has 0.7 to 1.
NOISE_FLAT = 0.75
NOISE_CLASSES = 4  # from which it tells that a wrong label is any class, not the second choice
NOISE_FLAT_CLASSES = 0.45
NOISE_SIGMAS = 2.0  # by how many deviations it may be the second choice more often than by chance

LEAK_MIN_EXAMPLES = 50
LEAK_SHARE = 0.97  # of a feature's variance that the labels explain; petals of irises have 0.94
LEAK_MISSES = 0.03  # of the way from a guess to all right
LEAK_GAP = 0.3  # of that way that the other features leave open
LEAK_GAP_EXACT = 0.1  # the same, where a feature never varies within a class
LEAK_GAP_SAME = 0.005  # the same, where a feature has exactly the order of the target

OVERLAP_SHARE = 0.05  # of the validation examples
OVERLAP_SHARE_ERROR = 0.2
# Different values of inputs whose rows can be equal by chance, and by how much more of validation
# than of training itself may be among the training examples then.
OVERLAP_VALUES, OVERLAP_BEYOND = 32, 0.1
# Triples of equal rows over those of even draws: clips of a moving square have 0.8, sums of two
# small numbers 1.0; a tenth of the rows drawn again until it is half of them has 2.
OVERLAP_CLUMPED = 1.5
OVERLAP_DIFFERENCE = 2e-3  # of numbers in 0..1: half a step of a picture's 256 greys
SPLIT_RATIO = 2.5  # of deviations
SPLIT_SHIFT = 3.0  # of means, in deviations
# Later parts of a series that grows evenly are 2.2 deviations away; prices can grow faster.
SPLIT_RATIO_SERIES, SPLIT_SHIFT_SERIES = 8.0, 8.0
SPLIT_TARGET_RATIO = 8.0  # of deviations of targets; calm and wild times differ by less
# Standard errors between the colours of two splits, and what another order of channels leaves.
CHANNELS_AWAY, CHANNELS_BACK = 8.0, 0.3
SPLIT_MIN_EXAMPLES = 20
SPLIT_MIN_PROBED = 50
# Share of a class's examples that a probe must find in training, and take for one other class in
# validation; how many there must be; and the share of validation that this must hold for.
RENAMED, RENAMED_EXAMPLES, RENAMED_SHARE = 0.5, 5, 0.1
NEW_CLASSES = 0.05  # share of validation labels that training never has

FEATURE_SIZE = 20.0  # root mean square of a feature from where its unit is tried out
TARGET_SIZE = 50.0  # the same for targets
UNITS_MIN_EXAMPLES = 60
UNITS_NOTHING = 0.1  # a score that is no more than a guess
# Relative difference of outputs with standardised inputs, from where units matter; behind a batch
# normalisation it is the share of its epsilon, 1e-3 of a variance of 1.
UNITS_SAME = 0.01
UNITS_GAIN = 0.2  # of the score, from which other units are worth a word
TARGET_SOON = 0.2  # of the training, within which large targets are reached without harm

TOKENS_KEPT = 0.5  # different numbers after cutting to integers, over those before
TOKENS_MIN_EXAMPLES = 64  # with tokens that all have a row, to check the rest with

AVERAGES_LEFT = 0.75  # of the first values of moving averages, at the end of training

DROPOUT_HEAVY = 0.5  # rate: usual before the last layer, too much for inputs
DROPOUT_HIGH = 0.8
DROPOUT_NEAR_ONE = 0.9
DROPOUT_LAYERS = 4  # heavy ones in a row; networks that became known have two

TWIN_SHARE = 0.5
# Where all inputs are positive, a unit with random weights is dead as often as not.
DEAD_SHARE_WARNING = 0.5
DEAD_DEVIATIONS = 2.0  # of a share by chance, above that
DEAD_SHARE_ERROR = 0.8
SATURATED_SHARE = 0.5

# Of the loss of a guess, by which it must fall in spite of variables without a gradient. Where all
# signals stop there, nothing falls; a residual network falls by half.
LEARNS_WITHOUT = 0.05
# Times, of states with weights three times as large: ten layers before them alone make 6e4.
# 72 steps of an LSTM with ReLU make 8e6, 12 steps of a GRU with ReLU behind two others 2e4.
STATES_GROW = 1e5
GRADIENT_VANISHES = 3e-3  # of the last layers; the first of good programs have 0.07 and more
FRESH_WEIGHTS = 1.2  # largest weight over the largest of a new draw of the initialiser
GRADIENT_ROUNDING = 1e-6  # of the largest gradient: smaller ones may not move a float32

UPHILL = -0.02  # cosine between an optimizer's first step and the downhill direction
NO_PROGRESS = 0.95  # loss after a short run over loss before it, from where a lower rate is tried
RECOVERS = 0.7  # loss with a far lower learning rate, over the loss with the program's own
STEP_SMALL = 0.01  # relative decrease that one step promises, below which higher rates are tried
LEARNS = 0.2  # relative decrease of the loss at a higher rate that shows that there is something
# Of that decrease, what the whole run at the program's own rate must reach, and what is nothing.
# A CNN with Adagrad's default reaches 0.48, and pixels divided by 255 twice 0.2.
REACHED, NOTHING = 0.3, 0.05
# Relative decrease of the loss that all steps of the run together promise to first order: programs
# that train promise 0.01 in one step.
NOTHING_PROMISED = 1e-3
SLOW = 0.15  # relative decrease of the loss over the whole run, below which it is slow
# Times a step at the peak of a schedule that all steps of the run together must go.
FULL_STEPS = 100
FULL_SHARE = 0.1  # the same, as a share of the run's steps
GROWS = 1e3  # times the run's highest rate that a schedule reaches in a hundred times its steps
PENALTY_SHARE = 0.2  # the layers' own losses over the loss on the data, at first
SHRINKS = 1.0  # weight decay times rate, summed over the run's steps
HINDERED = 0.6  # fall of the loss with a penalty or a setting, over the fall without it
HOLDS = 0.8  # loss with the highest rate of a schedule held, over the loss with the schedule
# Skill on a few examples (0 for a guess, 1 for all right): enough for a program that learns, and so
# little that something must be wrong, where there are weights enough for each bit of the labels.
# All good programs of numbers with weights enough reach 0.95.
KNOWS_ENOUGH, KNOWS_LITTLE = 0.8, 0.6
CAPACITY = 8.0
LEARNS_LITTLE = 0.03  # the same as LEARNS where the program's own rate reaches nothing
