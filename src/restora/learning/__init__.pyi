from restora.learning.engine import Outcome as Outcome
from restora.learning.engine import train as train
from restora.learning.learners import Supervised as Supervised
from restora.learning.recipe import Recipe as Recipe
from restora.learning.recipe import read_recipe as read_recipe
