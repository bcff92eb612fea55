module @packed_dot_surrounded_f32 attributes {mhlo.num_replicas = 1 : i32, mhlo.num_partitions = 1 : i32} {
  func.func public @main(%arg0: tensor<5x38xf32>, %arg1: tensor<38xf32>, %arg2: tensor<5x70xf32>, %arg3: tensor<2x38x64xf32>) -> (tensor<5x70xf32>) {
    %0 = stablehlo.multiply %arg0, %arg0 : tensor<5x38xf32>
    %1 = stablehlo.constant dense<0.0> : tensor<f32>
    %2 = stablehlo.reduce(%0 init: %1) applies stablehlo.add across dimensions = [1] : (tensor<5x38xf32>, tensor<f32>) -> tensor<5xf32>
    %3 = stablehlo.constant dense<0.02631579> : tensor<f32>
    %4 = stablehlo.broadcast_in_dim %3, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %5 = stablehlo.multiply %2, %4 : tensor<5xf32>
    %6 = stablehlo.constant dense<1.0e-5> : tensor<f32>
    %7 = stablehlo.broadcast_in_dim %6, dims = [] : (tensor<f32>) -> tensor<5xf32>
    %8 = stablehlo.add %5, %7 : tensor<5xf32>
    %9 = stablehlo.rsqrt %8 : tensor<5xf32>
    %10 = stablehlo.broadcast_in_dim %9, dims = [0] : (tensor<5xf32>) -> tensor<5x38xf32>
    %11 = stablehlo.multiply %arg0, %10 : tensor<5x38xf32>
    %12 = stablehlo.broadcast_in_dim %arg1, dims = [1] : (tensor<38xf32>) -> tensor<5x38xf32>
    %13 = stablehlo.multiply %11, %12 : tensor<5x38xf32>
    %14 = stablehlo.transpose %arg3, dims = [0, 2, 1] : (tensor<2x38x64xf32>) -> tensor<2x64x38xf32>
    %15 = stablehlo.reshape %14 : (tensor<2x64x38xf32>) -> tensor<128x38xf32>
    %16 = stablehlo.slice %15 [0:70, 0:38] : (tensor<128x38xf32>) -> tensor<70x38xf32>
    %17 = stablehlo.dot_general %13, %16, contracting_dims = [1] x [1], precision = [HIGHEST, HIGHEST] : (tensor<5x38xf32>, tensor<70x38xf32>) -> tensor<5x70xf32>
    %18 = stablehlo.add %arg2, %17 : tensor<5x70xf32>
    return %18 : tensor<5x70xf32>
  }
}
