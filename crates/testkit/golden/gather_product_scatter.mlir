module @gather_product_scatter attributes {mhlo.num_replicas = 4 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x2xf32>, %arg1: tensor<4x1xf32>) -> (tensor<4x1xf32>, tensor<2x2xf32>) {
    %0 = "stablehlo.all_gather"(%arg0) <{all_gather_dim = 0 : i64, replica_groups = dense<[[0, 1], [2, 3]]> : tensor<2x2xi64>}> : (tensor<2x2xf32>) -> tensor<4x2xf32>
    %1 = stablehlo.dot_general %0, %0, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x4xf32>
    %2 = "stablehlo.reduce_scatter"(%1) <{replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>, scatter_dimension = 1 : i64}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %s = stablehlo.add %a, %b : tensor<f32>
      stablehlo.return %s : tensor<f32>
    }) : (tensor<4x4xf32>) -> tensor<4x1xf32>
    %3 = stablehlo.tanh %2 : tensor<4x1xf32>
    %4 = stablehlo.multiply %3, %3 : tensor<4x1xf32>
    %5 = stablehlo.negate %4 : tensor<4x1xf32>
    %6 = stablehlo.constant dense<1.0> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<4x1xf32>
    %8 = stablehlo.add %5, %7 : tensor<4x1xf32>
    %9 = stablehlo.multiply %arg1, %8 : tensor<4x1xf32>
    %10 = "stablehlo.all_gather"(%9) <{all_gather_dim = 1 : i64, replica_groups = dense<[[0, 1, 2, 3]]> : tensor<1x4xi64>}> : (tensor<4x1xf32>) -> tensor<4x4xf32>
    %11 = stablehlo.dot_general %10, %0, contracting_dims = [1] x [0], precision = [HIGHEST, HIGHEST] : (tensor<4x4xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
    %12 = stablehlo.dot_general %10, %0, contracting_dims = [0] x [0], precision = [HIGHEST, HIGHEST] : (tensor<4x4xf32>, tensor<4x2xf32>) -> tensor<4x2xf32>
    %13 = stablehlo.add %11, %12 : tensor<4x2xf32>
    %14 = "stablehlo.reduce_scatter"(%13) <{replica_groups = dense<[[0, 1], [2, 3]]> : tensor<2x2xi64>, scatter_dimension = 0 : i64}> ({
    ^bb0(%a: tensor<f32>, %b: tensor<f32>):
      %s = stablehlo.add %a, %b : tensor<f32>
      stablehlo.return %s : tensor<f32>
    }) : (tensor<4x2xf32>) -> tensor<2x2xf32>
    return %3, %14 : tensor<4x1xf32>, tensor<2x2xf32>
  }
}
