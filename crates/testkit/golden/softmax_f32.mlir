module @softmax_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<2x3x4xf32>, %arg1: tensor<2x3x4xf32>) -> (tensor<2x3x4xf32>, tensor<2x3x4xf32>) {
    %0 = stablehlo.constant dense<0xFF800000> : tensor<f32>
    %1 = stablehlo.reduce(%arg0 init: %0) applies stablehlo.maximum across dimensions = [2] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3xf32>
    %2 = stablehlo.broadcast_in_dim %1, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
    %3 = stablehlo.subtract %arg0, %2 : tensor<2x3x4xf32>
    %4 = stablehlo.exponential %3 : tensor<2x3x4xf32>
    %5 = stablehlo.constant dense<0.0> : tensor<f32>
    %6 = stablehlo.reduce(%4 init: %5) applies stablehlo.add across dimensions = [2] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3xf32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
    %8 = stablehlo.divide %4, %7 : tensor<2x3x4xf32>
    %9 = stablehlo.divide %arg1, %7 : tensor<2x3x4xf32>
    %10 = stablehlo.multiply %arg1, %8 : tensor<2x3x4xf32>
    %11 = stablehlo.divide %10, %7 : tensor<2x3x4xf32>
    %12 = stablehlo.negate %11 : tensor<2x3x4xf32>
    %13 = stablehlo.constant dense<0.0> : tensor<f32>
    %14 = stablehlo.reduce(%12 init: %13) applies stablehlo.add across dimensions = [2] : (tensor<2x3x4xf32>, tensor<f32>) -> tensor<2x3xf32>
    %15 = stablehlo.broadcast_in_dim %14, dims = [0, 1] : (tensor<2x3xf32>) -> tensor<2x3x4xf32>
    %16 = stablehlo.add %9, %15 : tensor<2x3x4xf32>
    %17 = stablehlo.multiply %16, %4 : tensor<2x3x4xf32>
    return %8, %17 : tensor<2x3x4xf32>, tensor<2x3x4xf32>
  }
}
